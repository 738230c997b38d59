#!/usr/bin/env python3
"""Writes a BAM in which one place has 20,000 reads and more, with its index: records of another BAM, again and again.

    deep_reads.py reads.bam CONTIG POSITION COUNT OUT.bam
"""

import gzip
import struct
import sys
import zlib


def records(data):
    """The header of a BAM, names of its contigs, and its records."""
    at = 8 + struct.unpack_from("<i", data, 4)[0]
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    names = []
    for _ in range(count):
        (length,) = struct.unpack_from("<i", data, at)
        names.append(data[at + 4 : at + 3 + length].decode())
        at += 8 + length
    header, found = data[:at], []
    while at < len(data):
        (size,) = struct.unpack_from("<i", data, at)
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return header, names, found


def block(data):
    """A block of BGZF."""
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(data) + packer.flush()
    head = b"\x1f\x8b\x08\x04\0\0\0\0\0\xff\x06\0BC\x02\0" + struct.pack("<H", len(packed) + 25)
    return head + packed + struct.pack("<II", zlib.crc32(data), len(data))


def main():
    source, contig, position, count, target = sys.argv[1:]
    header, names, found = records(gzip.open(source).read())
    number, place = names.index(contig), int(position) - 1
    over = []
    for record in found:
        reference, start = struct.unpack_from("<ii", record)
        length = struct.unpack_from("<i", record, 16)[0]
        if reference == number and start <= place < start + length:
            over.append(record)
    copies = [over[at % len(over)] for at in range(int(count))]
    copies.sort(key=lambda record: struct.unpack_from("<i", record, 4)[0])
    body = bytearray()
    for at, record in enumerate(copies):
        # Each copy is a read of its own: its name has as many letters as before.
        length = record[8]
        name = f"{at:x}".rjust(length - 1, "z")[-(length - 1) :].encode() + b"\0"
        record = record[:32] + name + record[32 + length :]
        body += struct.pack("<i", len(record)) + record
    parts = [block(header)]
    begin = len(parts[0])
    parts += [block(bytes(body[at : at + 60_000])) for at in range(0, len(body), 60_000)]
    end = sum(map(len, parts))
    parts.append(block(b""))
    with open(target, "wb") as file:
        file.write(b"".join(parts))
    # All reads lie in the widest bin: whoever looks somewhere looks there.
    index = b"BAI\1" + struct.pack("<i", len(names))
    for at in range(len(names)):
        if at == number:
            index += struct.pack("<iIiQQi", 1, 0, 1, begin << 16, end << 16, 0)
        else:
            index += struct.pack("<ii", 0, 0)
    with open(target + ".bai", "wb") as file:
        file.write(index)


if __name__ == "__main__":
    main()
