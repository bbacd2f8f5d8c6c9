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
            mem_mb=batch.mem_mb,
            runtime=batch.runtime,
        params:
            file=batch.file,
        message:
            f"{len(batch.jobs)} small jobs of {batch.stage}"
        shell:
            "jwrules batch {params.file:q} --threads {threads} --memory {resources.mem_mb}M 2> {log:q}"
