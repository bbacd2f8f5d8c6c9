# Small jobs of one stage share a process: to start one takes longer than their work. Which are small is the plan's.
for batch in PLAN.batches:

    rule:
        name:
            f"{batch.stage}_batch{batch.number}_{len(batch.jobs)}jobs"
        input:
            batch.inputs,
        output:
            batch.outputs,
        log:
            f"logs/batch/{batch.stage}_{batch.number}.log",
        resources:
            mem_mb=lambda wildcards, attempt, most=batch.mem_mb: attempt * most,
            runtime=lambda wildcards, attempt, most=batch.runtime: attempt * most,
        params:
            file=batch.file,
        message:
            f"{len(batch.jobs)} small jobs of {batch.stage}"
        shell:
            "jwrules batch {params.file:q} --threads {threads} --memory {resources.mem_mb}M 2> {log:q}"
