"""Pictures and pages from products; nothing here changes a product."""
