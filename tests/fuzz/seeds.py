#!/usr/bin/env python3
"""Makes corpus/ and reference.fa again, out of the test data and by hand. Run as: python3 seeds.py

The CRAM files are written by samtools 1.16 (Debian 12).
"""
import hashlib, io, json, os, pathlib, random, shutil, struct, subprocess, tempfile, zipfile

here = pathlib.Path(__file__).resolve().parent
data = here.parent / "data"
corpus = here / "corpus"
shutil.rmtree(corpus, ignore_errors=True)


def put(target, name, data):
    folder = corpus / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)


# vcf: the header without its longest lines, and some records, of each caller and of the filter's tests.
for name in ["demo/calls.vcf", "demo/calls.freebayes.vcf", "demo/calls.bcftools.vcf", "filter/calls.vcf"]:
    lines = (data / name).read_bytes().split(b"\n")
    meta = [l for l in lines if l.startswith(b"#") and len(l) < 300][-40:]
    meta = ([] if meta[0].startswith(b"##fileformat") else [lines[0]]) + meta
    records = [l for l in lines if l and not l.startswith(b"#")]
    picked = records[:: max(1, len(records) // 6)]
    put("vcf", name.replace("/", "."), b"\n".join(meta + picked) + b"\n")
head = ["##fileformat=VCFv4.2", '##INFO=<ID=AF,Number=A,Type=Float,Description="a, \\"b\\"">',
        '##cnnfilterModel=<ID=net,Sha256=ab,Thresholds="{\\"measured_on\\":\\"x\\",\\"kinds\\":{}}">']
odd = ["c\t5\t.\tAcg\tT,<DEL>,*\t1.5e1\tq10;CNN_LOW\tDP=5;;AF=.1,.2,.3;END=20;CNN_2D=1\tGT:AD:PL\t0/1:3,4,5,6:1,2,3,4,5,6,7,8,9,10\t2|.",
       "c\t0\t.\tN\t.\t.\t.\t.\tGT\t.\t.", "c\t007\t.\tA\tC\tnan\tPASS\t\tGT:FT:LAA\t1:PASS:1\t0/0"]
for name, end in [("odd.vcf", "\n"), ("returns.vcf", "\r\n")]:
    columns = "#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT s1 s2".replace(" ", "\t")
    put("vcf", name, "".join(line + end for line in head + [columns] + odd).encode())
put("vcf", "latin1.vcf", b"##fileformat=VCFv4.2\n##x=\xe9\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nc\t1\t.\tA\tC\t.\t.\t\xe9=1\n")

# reads: numbers that the target draws from; any will do.
random.seed(1)
for at in range(6):
    put("reads", f"random{at}", random.randbytes(200 << at // 2 * 2))

# model: a card with some weights, and changes of the built-in model.
card = {"format": 1, "name": "gatk-1d", "architecture": "gatk_1d", "info_key": "CNN_1D",
        "tensor": {"encoder": "gatk_reference", "window": 128, "read_limit": 1, "channels": list("ACGT")},
        "annotations": ["MQ", "DP", "SOR", "FS", "QD", "MQRankSum", "ReadPosRankSum"],
        "labels": ["NOT_SNP", "NOT_INDEL", "SNP", "INDEL"],
        "source": {"file": "", "member": "", "sha256": "", "cnnfilter_version": ""},
        "weights_sha256": "", "test_vectors": [{"seed": 1, "reads": 3, "logits": [0, 0, 0, 0]}]}
header = json.dumps({"output.bias": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}}).encode()
weights = struct.pack("<Q", len(header)) + header + struct.pack("<4f", 1, 2, 3, 4)
put("model", "card", b"\0" + json.dumps(card).encode() + b"\0" + weights)
for at in range(4):
    put("model", f"changes{at}", b"\1" + random.randbytes(60 << at))

# regions: the first byte is the kind.
for name, text in [
    ("contig", b"\0chr1"), ("position", b"\0chr1:5"), ("range", b"\0chr1:1,000-2,000"), ("open", b"\0chr2:7-"),
    ("colons", b"\0HLA-A*01:01:3-4"),
    ("bed", b"\2track x\nchr1\t0\t10\tname\nchr1\t5\t20\n#x\nchr2\t7\t7\n"),
    ("interval_list", b"\4@HD\tVN:1.6\n@SQ\tSN:chr1\tLN:1000\nchr1\t1\t10\t+\tx\nchr1:20-30\n"),
    ("list", b"\5chr1:1-10\n\nchr2\n"),
    ("vcf", b"\6##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\nchr1\t5\t.\tACG\tA\t.\t.\tEND=9\n"),
]:
    put("regions", name, text)

# import: as crates/core/src/networks/import/torch.rs writes a module by hand.
def text(s):
    return b"X" + struct.pack("<I", len(s)) + s.encode()


def tensor(kind, key, numbers, shape, strides):
    counts = lambda values: b"(" + b"".join(b"K" + bytes([n]) for n in values) + b"t"
    storage = b"(" + text("storage") + f"ctorch\n{kind}\n".encode() + text(key) + text("cpu") + b"K" + bytes([numbers]) + b"tQ"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + b"K\0" + counts(shape) + counts(strides) + b"\x89}tR"


pickle = (b"\x80\x02cpackage\nModule\n)\x81}" + text("_modules") + b"}" + text("c") + b"cpackage\nChild\n)\x81}("
          + text("_parameters") + b"}" + text("weight") + b"ctorch._utils\n_rebuild_parameter\n("
          + tensor("FloatStorage", "0", 6, [2, 3], [1, 2]) + b"\x88}tRs"
          + text("_buffers") + b"}" + text("steps") + tensor("LongStorage", "1", 1, [], []) + b"sub" + b"ssb.")


def archive(members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, content in members:
            z.writestr(zipfile.ZipInfo(name), content)
    return out.getvalue()


module = archive([("m/data.pkl", pickle), ("m/data/0", struct.pack("<6f", *range(6)))])
put("import", "module.pt", b"\0" + module)
put("import", "jar", b"\0" + archive([("large/nvscorevariants/x.pt", module), ("META-INF/x", b"x")]))
put("import", "release.zip", b"\0" + archive([("gatk/gatk.jar", archive([("large/x.hd5", b"\x89HDF\r\n\x1a\n")]))]))
put("import", "pickle", b"\1" + pickle)
put("import", "state", b"\2" + pickle)

# cram: reads of every kind that CRAM has a code for, on a small reference.
random.seed(2)
contigs = {"c": 600, "d": 240}
bases = {name: "".join(random.choices("ACGT", k=length)) for name, length in contigs.items()}
fasta, index = "", ""
for name, text_of in bases.items():
    fasta += f">{name}\n"
    index += f"{name}\t{len(text_of)}\t{len(fasta)}\t60\t61\n"
    fasta += "".join(text_of[at:at + 60] + "\n" for at in range(0, len(text_of), 60))
(here / "reference.fa").write_text(fasta)
(here / "reference.fa.fai").write_text(index)
cigars = ["40M", "5S35M", "20M3I17M", "20M4D20M", "10M200N20M", "3H37M2S", "15M2I5M3D18M", "30M1P10M", "40M", "12=1X27="]
shape = [random.randrange(2, 40) for _ in range(40)]


def sam(contigs_of_reads, total=14):
    lines = ["@HD\tVN:1.6\tSO:coordinate"]
    lines += [f"@SQ\tSN:{name}\tLN:{len(text_of)}\tM5:{hashlib.md5(text_of.encode()).hexdigest()}"
              for name, text_of in bases.items()]
    lines += ["@RG\tID:a\tSM:one", "@RG\tID:b\tSM:two"]
    for contig in contigs_of_reads:
        end = len(bases[contig]) - 45
        for at, start in enumerate(sorted(random.choices(range(end), k=total))):
            cigar = cigars[at % len(cigars)] if start + 230 < len(bases[contig]) else "40M"
            sequence, position, number = "", start, ""
            for letter in cigar:
                if letter.isdigit():
                    number += letter
                    continue
                count, number = int(number), ""
                if letter in "M=X":
                    sequence += bases[contig][position:position + count]
                elif letter in "IS":
                    sequence += "".join(random.choices("ACGTN", k=count))
                position += count if letter in "M=XDN" else 0
            sequence = "".join(random.choice("ACGTN") if random.random() < 0.02 else base for base in sequence)
            quality = "".join(chr(33 + random.choice([2, 12, 23, 37])) for _ in sequence)
            if total > 14:
                # What is nearly the same at each place of a read is what the coder of qualities alone finds.
                quality = "".join(chr(33 + shape[base % 40] + (random.random() < 0.1)) for base in range(len(sequence)))
            if at == 7 and total == 14:
                sequence, quality = "*", "*"
            flag, mate = [(0, "*\t0\t0"), (99, f"=\t{start + 31}\t70"), (16, "*\t0\t0"), (1 + 64, "d\t9\t0"),
                          (1024, "*\t0\t0"), (256, "*\t0\t0")][at % 6]
            tags = ["RG:Z:a", "RG:Z:b\tXB:B:c,1,-2", "NM:i:3", "RG:Z:a\tXF:f:1.5", ""][at % 5]
            name = f"q{at // 2}:{at}" if total == 14 else f"A00123:77:HXXDSX:{at // 80}:{1101 + at // 40}:{1000 + 37 * at + at % 5}:{random.randrange(9000)}"
            fields = [name, flag, contig, start + 1, 10 * at % 61, cigar, mate, sequence, quality]
            lines.append("\t".join(map(str, fields + ([tags] if tags else []))))
    lines.append(f"u\t4\t*\t0\t0\t*\t*\t0\t0\t{bases['d'][:30]}\t{'I' * 30}")
    return "\n".join(lines) + "\n"


with tempfile.TemporaryDirectory() as folder:
    folder = pathlib.Path(folder)
    for text_of in bases.values():
        (folder / hashlib.md5(text_of.encode()).hexdigest()).write_text(text_of)
    environment = dict(os.environ, REF_PATH=f"{folder}/%s", REF_CACHE="")
    one, both, many = sam(["c"]), sam(["c", "d"]), sam(["c"], 400)
    for name, reads, options in [
        ("depth", one, "version=3.0"),
        ("v2.1", one, "version=2.1"),
        ("v3.0", one, "version=3.0"),
        ("v3.0_bzip2", many, "version=3.0,level=9,use_bzip2"),
        ("v3.0_lzma", many, "version=3.0,level=9,use_lzma"),
        ("v3.0_embedded", one, "version=3.0,embed_ref=1"),
        ("v3.0_no_reference", one, "version=3.0,no_ref=1"),
        ("v3.0_slices", both, "version=3.0,seqs_per_slice=6,slices_per_container=2"),
        ("v3.0_both", both, "version=3.0,multi_seq_per_slice=1"),
        ("v3.1", both, "version=3.1"),
        ("v3.1_small", many, "version=3.1,level=7,use_tok,use_fqz"),
        ("v3.1_archive", many, "version=3.1,level=9,use_tok,use_fqz,use_arith,use_bzip2"),
    ]:
        command = ["samtools", "view", "--no-PG", "-O", f"cram,{options}", "-"]
        made = subprocess.run(command, input=reads.encode(), env=environment, check=True, stdout=subprocess.PIPE).stdout
        put("cram", name, bytes([4 if name == "depth" else 2 * (len(name) % 2)]) + made)
    put("cram", "index", b"\1" + b"0\t1\t600\t%d\t0\t900\n\0" % 26 + made)

# sample_map: the first byte chooses the reads; samples of the calls may follow behind a 0 byte.
for name, text_of in [
    ("paths", b"\2# sample\treads\nA\ta/r.bam\nB\tb/r.bam\n"),
    ("names", b"\x13A\tsm\nC c\tx.cram\r\n\nB\tnone.bam"),
    ("columns", b"\x0aone\tr.bam\ntwo\tA\n\0one\ntwo"),
    ("spelled", b"\x12 A\t./a/../a/r.bam \nB\t./b/r.bam\n"),
]:
    put("sample_map", name, text_of)

# labels: a table, calls and truth, with 0 bytes between them.
table = b"#chrom\tpos\tref\talt\ttype\tlabel\nc\t7\tACA\tA\tINDEL\tTP\nc\t12\ta\tC,T\t\tfalse\r\n\nd\t3\tA\t*\tx\t.\n"
calls = (b"c\t7\t.\tACA\tA\t50\t.\tCALL=TP\tGT:BD:BK:BVT\t0/1:FN:.:INDEL\t0|1:TP:gm:INDEL\n"
         b"c\t12\t.\tG\tC,<DEL>\t40\tPASS\tBASE=FN\tGT:BD:BK:BVT\t1/2:FN:.:SNP\t./.:.:.:NOCALL\n"
         b"c\t30\t.\tAC\tATC\t40\tq10\tCALL=FP_CA\tGT:BD\t/1/1:TP\t1:FP\n")
truth = b"c\t3\t.\tTCA\tT\t.\tPASS\t.\tGT\t0\t0/1\nc\t30\t.\tA\tAT\t.\t.\t.\tGT\t0\t1|1\nc\t30\t.\tA\tAT\t.\tGAP\t.\tGT\t0\t1|1\n"
put("labels", "table", table)
put("labels", "calls", table + b"\0" + calls)
put("labels", "truth", b"\0" + calls + b"\0" + truth)
