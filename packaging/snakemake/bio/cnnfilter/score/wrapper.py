__author__ = "The authors of cnnfilter"
__copyright__ = "Copyright 2026, the authors of cnnfilter"
__license__ = "MIT"

from snakemake.shell import shell

log = snakemake.log_fmt_shell(stdout=False, stderr=True)
extra = snakemake.params.get("extra", "")


def option(flag, files):
    """The option once for each file; nothing without files."""
    files = [files] if isinstance(files, str) else files or []
    return " ".join(f"{flag} {file}" for file in files)


reads = option("--input", snakemake.input.get("reads"))
regions = option("--regions", snakemake.input.get("regions"))
model = option("--model", snakemake.input.get("model"))
multiqc = option("--multiqc", snakemake.output.get("multiqc"))

shell(
    "cnnfilter score"
    " --variant {snakemake.input.vcf}"
    " --reference {snakemake.input.fasta}"
    " {reads} {regions} {model}"
    " --threads {snakemake.threads}"
    " {multiqc} {extra}"
    " --output {snakemake.output.vcf}"
    " {log}"
)
