#!/usr/bin/env python3
"""Makes corpus/ again, out of the test data and by hand. Run as: python3 seeds.py"""
import io, json, pathlib, random, shutil, struct, zipfile

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
