"""Parts of steps that have a file of their own: what a step of this name would do is no step by itself."""
