#!/usr/bin/env python3
"""Writes the files of callers that Debian does not have:  by_hand.py REF.FA  (into the current folder)

The header lines and the fields of FORMAT and INFO are those that the programs write; places, alleles and numbers are made up.
REF comes from the reference. A record is (POS, bases of REF, ALT, QUAL, FILTER, INFO, FORMAT, samples...), on demo1 unless a
contig stands in front. In ALT `ts` is the transition of a REF of one base, `tv` and `tw` its transversions, `+ACG` inserts
behind the first base, `-` deletes all but the first, `=` is REF; anything else stands as it is.
"""

import sys

PAIRS = {"A": "GCT", "G": "ATC", "C": "TAG", "T": "CGA", "R": "CTT", "N": "ACG"}
CONTIGS = "##contig=<ID=demo1,length=30000>\n##contig=<ID=demo2,length=10000>\n"


def read(path):
    contigs, name = {}, None
    for line in open(path):
        if line.startswith(">"):
            name = line[1:].split()[0]
            contigs[name] = []
        else:
            contigs[name].append(line.strip())
    return {name: "".join(lines).upper() for name, lines in contigs.items()}


GENOME = read(sys.argv[1])


def allele(code, reference):
    if code in ("ts", "tv", "tw"):
        return PAIRS[reference][("ts", "tv", "tw").index(code)]
    if code.startswith("+"):
        return reference[0] + code[1:] + reference[1:]
    if code == "-":
        return reference[0]
    return reference if code == "=" else code


def write(name, header, samples, records):
    fields = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO"] + (["FORMAT"] + samples if samples else [])
    with open(name, "w") as out:
        out.write(header + "\t".join(fields) + "\n")
        for record in records:
            contig = "demo1"
            if isinstance(record[0], str):
                contig, record = record[0], record[1:]
            position, length, alternates, *rest = record
            if isinstance(length, str):
                reference = length
            else:
                reference = GENOME[contig][position - 1 : position - 1 + length]
            alts = ",".join(allele(code, reference.upper()) for code in alternates.split(","))
            line = [contig, str(position), ".", reference, alts, *rest]
            assert len(line) == len(fields), line
            out.write("\t".join(line) + "\n")


def lines(kind, table):
    """Definition lines out of `ID|Number|Type|Description`."""
    text = ""
    for row in table.strip().split("\n"):
        key, number, of_type, description = row.strip().split("|")
        text += f'##{kind}=<ID={key},Number={number},Type={of_type},Description="{description}">\n'
    return text


def filters(table):
    rows = [row.strip().split("|") for row in table.strip().split("\n")]
    return "".join(f'##FILTER=<ID={key},Description="{text}">\n' for key, text in rows)


# ---- DeepVariant 1.x: no INFO but END; reference calls and sites without reads stay in the file -------------------------
deepvariant = (
    "##fileformat=VCFv4.2\n"
    + filters(
        """PASS|All filters passed
        RefCall|Genotyping model thinks this site is reference.
        LowQual|Confidence in this variant being real is below calling threshold.
        NoCall|Site has depth=0 resulting in no call."""
    )
    + lines("INFO", "END|1|Integer|End position (for use with symbolic alleles)")
    + lines(
        "FORMAT",
        """GT|1|String|Genotype
        GQ|1|Integer|Conditional genotype quality
        DP|1|Integer|Read depth
        MIN_DP|1|Integer|Minimum DP observed within the GVCF block.
        AD|R|Integer|Read depth for each allele
        VAF|A|Float|Variant allele fractions.
        PL|G|Integer|Phred-scaled genotype likelihoods rounded to the closest integer
        MED_DP|1|Integer|Median DP observed within the GVCF block rounded to the nearest integer.""",
    )
    + "##DeepVariant_version=1.6.1\n"
    + CONTIGS
)
D = "GT:GQ:DP:AD:VAF:PL"
write("deepvariant.vcf", deepvariant, ["demo"], [
    (210, 1, "ts", "52.3", "PASS", ".", D, "0/1:50:30:14,16:0.533333:52,0,54"),
    (305, 1, "tv", "0.1", "RefCall", ".", D, "0/0:17:31:26,5:0.16129:0,16,40"),
    (402, 3, "-", "41.5", "PASS", ".", D, "1/1:36:29:0,28:0.965517:41,38,0"),
    (477, 1, "+AG,+AGAG", "35.2", "PASS", ".", D, "1/2:9:27:1,13,12:0.481481,0.444444:34,9,20,11,0,25"),
    (530, 1, "ts", "0", "NoCall", ".", D, "./.:0:0:0,0:0:0,0,0"),
    (611, 1, "tv", "3.2", "RefCall", ".", D, "./.:3:12:9,3:0.25:1,0,20"),
    (702, 4, "-,+TT", "28.9", "PASS", ".", D, "0/2:15:22:11,3,8:0.136364,0.363636:28,16,40,0,22,37"),
    (815, 1, "ts,tv", "44", "PASS", ".", D, "1/2:20:33:0,17,16:0.515152,0.484848:44,20,33,21,0,30"),
    ("demo2", 1, 1, "ts", "8.8", "PASS", ".", D, "0/1:8:9:5,4:0.444444:8,0,30"),
    ("demo2", 10000, 1, "tv", "5.1", "PASS", ".", D, "1:5:6:0,6:1:5,0"),
])
write("deepvariant.gvcf.vcf", deepvariant, ["demo"], [
    (201, 1, "<*>", "0", ".", "END=209", "GT:GQ:MIN_DP:MED_DP:PL", "0/0:50:28:30:0,87,869"),
    (210, 1, "ts,<*>", "52.3", "PASS", ".", D, "0/1:50:30:14,16,0:0.533333,0:52,0,54,990,990,990"),
    (211, 1, "<*>", "0", ".", "END=401", "GT:GQ:MIN_DP:MED_DP:PL", "0/0:48:25:29:0,84,839"),
    (402, 3, "-,<*>", "41.5", "PASS", ".", D, "1/1:36:29:0,28,0:0.965517,0:41,38,0,990,990,990"),
    (405, 1, "<*>", "0", ".", "END=529", "GT:GQ:MIN_DP:MED_DP:PL", "0/0:50:24:28:0,81,809"),
    (530, 1, "ts,<*>", "0", "NoCall", ".", D, "./.:0:0:0,0,0:0,0:0,0,0,0,0,0"),
    (531, 1, "<*>", "0", ".", "END=30000", "GT:GQ:MIN_DP:MED_DP:PL", "./.:0:0:0:0,0,0"),
])

# ---- Strelka2 2.9: germline (SNVs and indels have other FORMATs), its gVCF, and somatic calls without GT ----------------
germline = (
    "##fileformat=VCFv4.1\n##source=strelka\n##source_version=2.9.10\n" + CONTIGS
    + "##content=strelka germline small-variant calls\n"
    + lines(
        "INFO",
        """END|1|Integer|End position of the region described in this record
        BLOCKAVG_min30p3a|0|Flag|Non-variant multi-site block.
        SNVHPOL|1|Integer|SNV contextual homopolymer length
        CIGAR|A|String|CIGAR alignment for each alternate indel allele
        RU|A|String|Smallest repeating sequence unit extended or contracted in the indel allele relative to the reference.
        REFREP|A|Integer|Number of times RU is repeated in reference
        IDREP|A|Integer|Number of times RU is repeated in indel allele
        MQ|1|Integer|RMS of mapping quality""",
    )
    + lines(
        "FORMAT",
        """GT|1|String|Genotype
        GQ|1|Integer|Genotype Quality
        GQX|1|Integer|Empirically calibrated genotype quality score for variant sites
        DP|1|Integer|Filtered basecall depth used for site genotyping.
        DPF|1|Integer|Basecalls filtered from input prior to site genotyping.
        MIN_DP|1|Integer|Minimum filtered basecall depth used for site genotyping within a non-variant multi-site block
        AD|.|Integer|Allelic depths for the ref and alt alleles in the order listed.
        ADF|.|Integer|Allelic depths on the forward strand
        ADR|.|Integer|Allelic depths on the reverse strand
        FT|1|String|Sample filter
        DPI|1|Integer|Read depth associated with indel, taken from the site preceding the indel
        PL|G|Integer|Normalized, Phred-scaled likelihoods for genotypes as defined in the VCF specification
        PS|1|Integer|Phase set identifier
        SB|1|Float|Sample site strand bias""",
    )
    + filters(
        """IndelConflict|Indel genotypes from two or more loci conflict in at least one sample
        SiteConflict|Site is filtered due to an overlapping indel call filter
        LowGQX|Locus GQX is below threshold or not present
        HighDPFRatio|The fraction of basecalls filtered out at a site is greater than 0.4
        HighSNVSB|Sample SNV strand bias value (SB) exceeds 10
        LowDepth|Locus depth is below 3
        NotGenotyped|Locus contains forcedGT input alleles which could not be genotyped
        PloidyConflict|Genotype call from variant caller not consistent with chromosome ploidy
        NoPassedVariantGTs|No samples at this locus pass all sample filters and have a variant genotype"""
    )
)
S, I = "GT:GQ:GQX:DP:DPF:AD:ADF:ADR:SB:FT:PL", "GT:GQ:GQX:DPI:AD:ADF:ADR:FT:PL"
write("strelka.germline.vcf", germline, ["demo"], [
    (210, 1, "ts", "191", "PASS", "SNVHPOL=3;MQ=60", S, "0/1:224:30:42:0:22,20:13,11:9,9:-26.0:PASS:226,0,257"),
    (305, 1, "tv", "6", "LowGQX;NoPassedVariantGTs", "SNVHPOL=2;MQ=35", S, "0/1:38:5:6:0:4,2:1,2:3,0:2.1:LowGQX:40,0,101"),
    (402, 3, "-", "284", "PASS", "CIGAR=1M2D;RU=CA;REFREP=3;IDREP=2;MQ=60", I, "0/1:327:16:33:17,12:9,5:8,7:PASS:324,0,511"),
    (477, 1, "+AG,+AGAG", "400", "PASS", "CIGAR=1M2I,1M4I;RU=AG,AG;REFREP=2,2;IDREP=3,4;MQ=59", I, "1/2:80:9:30:1,12,11:1,6,5:0,6,6:PASS:700,260,240,280,0,250"),
    (611, 1, "ts", "108", "PASS", "SNVHPOL=3;MQ=60", S + ":PS", "1|0:141:60:22:7:14,8:8,2:6,6:-10.7:PASS:142,0,216:611"),
    (618, 1, "tv", "95", "PASS", "SNVHPOL=3;MQ=60", S + ":PS", "0|1:120:58:22:6:13,9:8,3:5,6:-9.1:PASS:121,0,200:611"),
    (650, 1, "<INS>", ".", "NotGenotyped", "END=650;MQ=60", I, ".:.:.:20:20,0:10,0:10,0:NotGenotyped:."),
    ("demo2", 300, 1, "ts,tv", "60", "SiteConflict", "SNVHPOL=2;MQ=51", S, "2:17:8:6:10:0,3,3:0,0,2:0,3,1:-7.3:SiteConflict:95,17,0"),
    ("demo2", 340, 1, "ts", "12", "PloidyConflict;NoPassedVariantGTs", "SNVHPOL=2;MQ=60", S, ".:.:.:7:0:4,3:2,1:2,2:-3:PloidyConflict:."),
])
write("strelka.gvcf.vcf", germline, ["demo"], [
    (201, 1, ".", ".", "PASS", "END=209;BLOCKAVG_min30p3a", "GT:GQX:DP:DPF:MIN_DP", "0/0:87:30:0:28"),
    (210, 1, "ts", "191", "PASS", "SNVHPOL=3;MQ=60", S, "0/1:224:30:42:0:22,20:13,11:9,9:-26.0:PASS:226,0,257"),
    (211, 1, ".", ".", "PASS", ".", "GT:GQX:DP:DPF", "0/0:87:30:0"),
    (212, 1, ".", ".", "LowGQX", "END=401;BLOCKAVG_min30p3a", "GT:GQX:DP:DPF:MIN_DP", "0/0:4:10:0:2"),
    (402, 3, "-", "284", "PASS", "CIGAR=1M2D;RU=CA;REFREP=3;IDREP=2;MQ=60", I, "0/1:327:16:33:17,12:9,5:8,7:PASS:324,0,511"),
    (403, 1, ".", ".", "SiteConflict", "END=404;BLOCKAVG_min30p3a", "GT:GQX:DP:DPF:MIN_DP", "0:60:14:0:13"),
    (405, 1, ".", ".", "LowGQX;LowDepth", "END=30000;BLOCKAVG_min30p3a", "GT:GQX:DP:DPF:MIN_DP", ".:.:0:0:0"),
])
somatic = "##fileformat=VCFv4.1\n##source=strelka\n##source_version=2.9.10\n" + CONTIGS
snvs = somatic + "##content=strelka somatic snv calls\n##priorSomaticSnvRate=0.0001\n" + lines(
    "INFO",
    """QSS|1|Integer|Quality score for any somatic snv
    TQSS|1|Integer|Data tier used to compute QSS
    NT|1|String|Genotype of the normal in all data tiers
    QSS_NT|1|Integer|Quality score reflecting the joint probability of a somatic variant and NT
    TQSS_NT|1|Integer|Data tier used to compute QSS_NT
    SGT|1|String|Most likely somatic genotype excluding normal noise states
    SOMATIC|0|Flag|Somatic mutation
    DP|1|Integer|Combined depth across samples
    MQ|1|Float|RMS Mapping Quality
    MQ0|1|Integer|Total Mapping Quality Zero Reads
    ReadPosRankSum|1|Float|Z-score from Wilcoxon rank sum test of Alt Vs. Ref read-position in the tumor
    SNVSB|1|Float|Somatic SNV site strand bias
    SomaticEVS|1|Float|Somatic Empirical Variant Score (EVS) expressing the phred-scaled probability of the call being a false positive observation.""",
) + lines(
    "FORMAT",
    """DP|1|Integer|Read depth for tier1 (used+filtered)
    FDP|1|Integer|Number of basecalls filtered from original read depth for tier1
    SDP|1|Integer|Number of reads with deletions spanning this site at tier1
    SUBDP|1|Integer|Number of reads below tier1 mapping quality threshold aligned across this site
    AU|2|Integer|Number of 'A' alleles used in tiers 1,2
    CU|2|Integer|Number of 'C' alleles used in tiers 1,2
    GU|2|Integer|Number of 'G' alleles used in tiers 1,2
    TU|2|Integer|Number of 'T' alleles used in tiers 1,2""",
) + filters("LowEVS|Somatic Empirical Variant Score (SomaticEVS) is below threshold\nLowDepth|Tumor or normal sample read depth at this locus is below 2")
V = "DP:FDP:SDP:SUBDP:AU:CU:GU:TU"
write("strelka.somatic.snvs.vcf", snvs, ["NORMAL", "TUMOR"], [
    (210, 1, "ts", ".", "PASS", "SOMATIC;QSS=153;TQSS=1;NT=ref;QSS_NT=154;TQSS_NT=1;SGT=CC->CT;DP=164;MQ=60.00;MQ0=0;ReadPosRankSum=0.69;SNVSB=0.00;SomaticEVS=19.98", V, "63:1:0:0:0,0:62,63:0,0:0,0", "98:1:0:0:0,0:58,58:0,0:39,43"),
    (305, 1, "tv", ".", "LowEVS", "SOMATIC;QSS=30;TQSS=1;NT=ref;QSS_NT=30;TQSS_NT=1;SGT=CC->AC;DP=145;MQ=60.00;MQ0=0;ReadPosRankSum=-0.54;SNVSB=0.00;SomaticEVS=7.12", V, "68:0:0:0:0,0:68,70:0,0:0,0", "75:0:0:0:2,2:72,72:0,0:1,1"),
    (611, 1, ".", ".", "LowEVS;LowDepth", "SOMATIC;QSS=1;TQSS=2;NT=ref;QSS_NT=1;TQSS_NT=2;SGT=AA->AA;DP=3;MQ=41.20;MQ0=1;SNVSB=0.00;SomaticEVS=0.00", V, "1:0:0:0:1,1:0,0:0,0:0,0", "1:0:0:0:1,2:0,0:0,0:0,0"),
])
indels = somatic + "##content=strelka somatic indel calls\n" + lines(
    "INFO",
    """QSI|1|Integer|Quality score for the ALT haplotype to be present at a significantly different frequency in the tumor and normal
    NT|1|String|Genotype of the normal in all data tiers
    SGT|1|String|Most likely somatic genotype excluding normal noise states
    RU|1|String|Smallest repeating sequence unit in inserted or deleted sequence
    RC|1|Integer|Number of times RU repeats in the reference allele
    IC|1|Integer|Number of times RU repeats in the indel allele
    IHP|1|Integer|Largest reference interrupted homopolymer length intersecting with the indel
    MQ|1|Float|RMS Mapping Quality
    SOMATIC|0|Flag|Somatic mutation
    OVERLAP|0|Flag|Somatic indel possibly overlaps a second indel.""",
) + lines(
    "FORMAT",
    """DP|1|Integer|Read depth for tier1
    DP2|1|Integer|Read depth for tier2
    TAR|2|Integer|Reads strongly supporting alternate allele for tiers 1,2
    TIR|2|Integer|Reads strongly supporting indel allele for tiers 1,2
    TOR|2|Integer|Other reads for tiers 1,2
    DP50|1|Float|Average tier1 read depth within 50 bases
    FDP50|1|Float|Average tier1 number of basecalls filtered from original read depth within 50 bases
    SUBDP50|1|Float|Average number of reads below tier1 mapping quality threshold aligned across sites within 50 bases
    BCN50|1|Float|Fraction of filtered reads within 50 bases of the indel.""",
)
W = "DP:DP2:TAR:TIR:TOR:DP50:FDP50:SUBDP50:BCN50"
write("strelka.somatic.indels.vcf", indels, ["NORMAL", "TUMOR"], [
    (402, 3, "-", ".", "PASS", "SOMATIC;QSI=58;NT=ref;SGT=ref->het;RU=CA;RC=3;IC=2;IHP=3;MQ=59.80", W, "52:52:50,50:0,0:3,3:54.96:0.00:0.00:0.00", "131:131:84,84:37,37:9,9:130.89:1.24:0.00:0.01"),
    (477, 1, "+A", ".", "PASS", "SOMATIC;QSI=29;NT=hom;SGT=hom->het;RU=A;RC=9;IC=10;IHP=10;MQ=60.00;OVERLAP", W, "52:52:0,0:49,49:3,3:54.96:0.00:0.00:0.00", "131:131:34,34:77,77:19,19:130.89:1.24:0.00:0.01"),
])

# ---- Octopus 0.7: phased genotypes, `*` and a missing haplotype, long replacements, polyclonal ploidy --------------------
octopus = (
    "##fileformat=VCFv4.3\n" + CONTIGS
    + lines(
        "INFO",
        """AC|A|Integer|Allele count in genotypes, for each ALT allele, in the same order as listed
        AN|1|Integer|Total number of alleles in called genotypes
        DP|1|Integer|Combined depth across samples
        MQ|1|Integer|RMS mapping quality
        MQ0|1|Integer|Number of MAPQ == 0 reads covering this record
        NS|1|Integer|Number of samples with data
        END|1|Integer|End position on CHROM
        SOMATIC|0|Flag|Indicates that the record is a somatic mutation, for cancer genomics
        PP|1|Float|Posterior probability for assertions made in ALT and FORMAT (Phred scale)
        MP|1|Float|Model posterior
        RFGQ_ALL|1|Float|Empirical quality score""",
    )
    + lines(
        "FORMAT",
        """GT|1|String|Genotype
        GQ|1|Integer|Genotype quality (phred scaled)
        DP|1|Integer|Read depth
        MQ|1|Integer|RMS mapping quality
        PS|1|String|Phase set
        PQ|1|Integer|Phasing quality
        HSS|.|Integer|Somatic status for each haplotype
        RFGQ|1|Float|Empirical quality score
        FT|1|String|Sample genotype filter indicating if this genotype was called""",
    )
    + filters("PASS|All filters passed\nRF|Random Forest filtered")
    + "##octopus=<version=0.7.4>\n"
)
O = "GT:GQ:DP:MQ:PS:PQ:FT"
write("octopus.vcf", octopus, ["demo"], [
    (210, 1, "ts", "108.04", "RF", "AC=1;AN=2;DP=30;MQ=27;MQ0=0;NS=1;PP=108.04;RFGQ_ALL=2.84", "GT:GQ:DP:MQ:PS:PQ:FT:RFGQ", "0|1:108:30:27:210:100:RF:2.76"),
    (402, 3, "-,*", "427.84", "PASS", "AC=1,1;AN=2;DP=26;MQ=40;MQ0=0;NS=1", O, "2|1:210:26:40:402:99:PASS"),
    (402, 5, "-", "190.31", "PASS", "AC=1;AN=1;DP=26;MQ=40;MQ0=0;NS=1", O, "1|.:190:26:40:402:99:PASS"),
    (501, 22, "GTCTTGTTCTATAAAGTCTCTG", "2783.56", "PASS", "AC=2;AN=2;DP=47;MQ=60;MQ0=0;NS=1", O, "1|1:146:47:60:501:99:PASS"),
    (540, 4, "TTTT", "310", "PASS", "AC=1;AN=3;DP=40;MQ=60;MQ0=0;NS=1;SOMATIC", "GT:GQ:DP:MQ:PS:PQ:HSS:FT", "0|0|1:300:40:60:540:100:0,0,1:PASS"),
    (611, 1, "*,ts", "80.1", "PASS", "AC=1,1;AN=2;DP=25;MQ=60;MQ0=0;NS=1", O, "1|2:80:25:60:402:99:PASS"),
    (612, 1, "*", "80.1", "PASS", "AC=1;AN=2;DP=25;MQ=60;MQ0=0;NS=1", O, "1|0:80:25:60:402:99:PASS"),
    (613, 1, "<*>", ".", ".", "END=640;DP=25;MQ=60;MQ0=0;NS=1", O, "0|0:60:25:60:613:99:."),
])

# ---- DRAGEN: small variants (as GATK's, with other FORMATs), its gVCF, and its ploidy calls ------------------------------
dragen = (
    "##fileformat=VCFv4.2\n"
    + filters(
        """PASS|All filters passed
        DRAGENSnpHardQUAL|Set if true:QUAL < 10.41
        DRAGENIndelHardQUAL|Set if true:QUAL < 7.83
        LowDepth|Set if true:DP <= 1
        LowGQ|Set if true:GQ = 0
        PloidyConflict|Genotype call from variant caller not consistent with chromosome ploidy"""
    )
    + '##ALT=<ID=NON_REF,Description="Represents any possible alternative allele at this location">\n'
    + lines(
        "FORMAT",
        """GT|1|String|Genotype
        AD|R|Integer|Allelic depths (counting only informative reads out of the total reads) for the ref and alt alleles in the order listed
        AF|A|Float|Allele fractions for alt alleles in the order listed
        DP|1|Integer|Approximate read depth (reads with MQ=255 or with bad mates are filtered)
        F1R2|R|Integer|Count of reads in F1R2 pair orientation supporting each allele
        F2R1|R|Integer|Count of reads in F2R1 pair orientation supporting each allele
        GQ|1|Integer|Genotype Quality
        PL|G|Integer|Normalized, Phred-scaled likelihoods for genotypes as defined in the VCF specification
        GP|G|Float|Phred-scaled posterior probabilities for genotypes as defined in the VCF specification
        PRI|G|Float|Phred-scaled prior probabilities for genotypes
        SB|4|Integer|Per-sample component statistics which comprise the Fisher's Exact Test to detect strand bias
        MB|4|Integer|Per-sample component statistics to detect mate bias
        PS|1|Integer|Physical phasing ID information
        MIN_DP|1|Integer|Minimum DP observed within the GVCF block
        SPL|.|Integer|Normalized, Phred-scaled likelihoods for SNPs based on the reference confidence model
        ICNT|2|Integer|Counts of INDEL informative reads based on the reference confidence model""",
    )
    + lines(
        "INFO",
        """AC|A|Integer|Allele count in genotypes, for each ALT allele, in the same order as listed
        AF|A|Float|Allele Frequency, for each ALT allele, in the same order as listed
        AN|1|Integer|Total number of alleles in called genotypes
        DP|1|Integer|Approximate read depth (informative and non-informative); some reads may have been filtered
        END|1|Integer|Stop position of the interval
        FS|1|Float|Phred-scaled p-value using Fisher's exact test to detect strand bias
        MOSAIC|0|Flag|Mosaic call in a haploid region
        MQ|1|Float|RMS mapping quality
        MQRankSum|1|Float|Z-score from Wilcoxon rank sum test of Alt vs. Ref read mapping qualities
        QD|1|Float|Variant Confidence/Quality by Depth
        ReadPosRankSum|1|Float|Z-score from Wilcoxon rank sum test of Alt vs. Ref read position bias
        SOR|1|Float|Symmetric Odds Ratio of 2x2 contingency table to detect strand bias
        FractionInformativeReads|1|Float|The fraction of informative reads out of the total reads""",
    )
    + '##DRAGENVersion=<ID=dragen,Version="SW: 07.021.624.3.10.4, HW: 07.021.624">\n' + CONTIGS
)
G = "GT:AD:AF:DP:F1R2:F2R1:GQ:PL:GP:PRI:SB:MB"
write("dragen.vcf", dragen, ["demo"], [
    (210, 1, "ts", "48.84", "PASS", "AC=1;AF=0.500;AN=2;DP=22;FS=4.154;MQ=248.02;MQRankSum=3.272;QD=2.27;ReadPosRankSum=2.671;SOR=1.546;FractionInformativeReads=1.000", G, "0/1:9,13:0.591:22:1,8:8,5:48:84,0,51:4.8837e+01,7.4031e-05,5.4007e+01:0.00,34.77,37.77:5,4,4,9:3,6,7,6"),
    (305, 1, "tv", "5.67", "DRAGENSnpHardQUAL", "AC=1;AF=0.500;AN=2;DP=6;FS=0.000;MQ=20.88;MQRankSum=0.720;QD=4.11;ReadPosRankSum=-1.380;SOR=2.303;FractionInformativeReads=1.000", G, "0/1:4,2:0.333:6:4,1:0,1:4:38,0,2:5.6683,2.4607,7.9203:0,34.77,37.78:2,2,0,2:2,2,1,1"),
    (402, 3, "-", "112.3", "PASS", "AC=2;AF=1.000;AN=2;DP=29;FS=0.000;MQ=250.00;QD=3.87;SOR=0.693;FractionInformativeReads=0.966", G, "1/1:0,28:1.000:28:0,15:0,13:81:150,84,0:1.1230e+02,8.1e+01,3.4e-08:0.00,31.00,34.00:0,0,14,14:0,0,13,15"),
    (477, 1, "+AG,+AGAG", "75.4", "PASS", "AC=1,1;AF=0.500,0.500;AN=2;DP=27;FS=0.000;MQ=249.10;QD=2.79;SOR=0.700;FractionInformativeReads=0.963", G, "1/2:1,13,12:0.500,0.462:26:0,6,7:1,7,5:70:112,80,77,84,0,75:7.5e+01,7.0e+01,7.3e+01,7.1e+01,4.1e-07,7.2e+01:0.00,31.00,34.00,31.00,62.00,34.00:0,1,13,12:1,0,12,13"),
    (611, 1, "ts", "50", "PASS", "AC=1;AF=0.500;AN=2;DP=30;FS=0.000;MQ=250.00;MQRankSum=0.000;QD=1.67;ReadPosRankSum=0.100;SOR=0.693;FractionInformativeReads=1.000", G + ":PS", "0|1:15,15:0.500:30:7,8:8,7:48:85,0,50:5.0e+01,7.0e-05,5.3e+01:0.00,34.77,37.77:8,7,7,8:7,8,8,7:611"),
    ("demo2", 300, 1, "ts", "92.1", "PASS", "AC=1;AF=1.000;AN=1;DP=14;FS=0.000;MQ=250.00;QD=6.58;SOR=0.800;FractionInformativeReads=1.000", G, "1:0,14:1.000:14:0,7:0,7:92:127,0:9.2e+01,2.7e-09:0.00,34.77:0,0,7,7:0,0,7,7"),
    ("demo2", 340, 1, "tv", "40.2", "PASS", "AC=1;AF=0.500;AN=2;DP=22;FS=4.154;MQ=248.02;QD=1.83;SOR=1.546;FractionInformativeReads=1.000;MOSAIC", G, "0/1:9,13:0.591:22:1,8:8,5:48:84,0,51:4.0e+01,7.4031e-05,5.4007e+01:0.00,34.77,37.77:5,4,4,9:3,6,7,6"),
    ("demo2", 390, 1, "tw", ".", "LowDepth;LowGQ", "DP=0", "GT:AD:DP:GQ", "./.:0,0:0:0"),
])
write("dragen.gvcf.vcf", dragen, ["demo"], [
    (201, 1, "<NON_REF>", ".", "PASS", "END=209", "GT:AD:DP:GQ:MIN_DP:PL:SPL:ICNT", "0/0:30,0:30:87:28:0,87,1305:0,87,255:30,0"),
    (210, 1, "ts,<NON_REF>", "48.84", "PASS", "DP=22;MQ=248.02;MQRankSum=3.272;ReadPosRankSum=2.671;FractionInformativeReads=1.000", "GT:AD:AF:DP:F1R2:F2R1:GQ:PL:SPL:ICNT:GP:PRI:SB:MB", "0/1:9,13,0:0.591,0.000:22:1,8,0:8,5,0:48:84,0,51,120,99,150:255,0,255:9,0:4.9e+01,7.4e-05,5.4e+01,4.5e+02,4.5e+02,4.5e+02:0.00,34.77,37.77,34.77,69.54,37.77:5,4,4,9:3,6,7,6"),
    (211, 1, "<NON_REF>", ".", "LowGQ", "END=30000", "GT:AD:DP:GQ:MIN_DP:PL:SPL:ICNT", "./.:0,0:0:0:0:0,0,0:0,0,0:0,0"),
])
ploidy = (
    "##fileformat=VCFv4.2\n##source=DRAGEN_PLOIDY\n##autosomeDepthOfCoverage=30.000\n##referenceSexKaryotype=XX\n" + CONTIGS
    + '##ALT=<ID=DEL,Description="Deletion relative to the reference">\n##ALT=<ID=DUP,Description="Region of elevated copy number relative to the reference">\n'
    + filters("LowQual|QUAL below 20")
    + lines("INFO", "END|1|Integer|End position of the variant described in this record\nSVTYPE|1|String|Type of structural variant")
    + lines("FORMAT", "DC|1|Float|Depth of coverage\nNDC|1|Float|Normalized depth of coverage")
)
write("dragen.ploidy.vcf", ploidy, ["demo"], [
    (1, "N", ".", "31.1252", "PASS", "END=30000", "DC:NDC", "30.000:1.000"),
    ("demo2", 1, "N", "<DUP>", "150", "PASS", "END=10000;SVTYPE=DUP", "DC:NDC", "45.000:1.500"),
])

# ---- structural records as Manta, Delly and the 1000 Genomes write them; no samples -------------------------------------
structural = "##fileformat=VCFv4.2\n" + CONTIGS + lines(
    "INFO",
    """END|1|Integer|End position of the variant described in this record
    SVTYPE|1|String|Type of structural variant
    SVLEN|.|Integer|Difference in length between REF and ALT alleles
    MATEID|.|String|ID of mate breakend
    CIPOS|2|Integer|Confidence interval around POS
    IMPRECISE|0|Flag|Imprecise structural variation
    LEFT_SVINSSEQ|.|String|Known left side of insertion for an insertion of unknown length""",
) + '##ALT=<ID=DEL,Description="Deletion">\n##ALT=<ID=INS,Description="Insertion">\n##ALT=<ID=DUP:TANDEM,Description="Tandem Duplication">\n'
write("structural.vcf", structural, [], [
    (1000, 61, "-", "999", "PASS", "END=1060;SVTYPE=DEL;SVLEN=-60"),
    (1100, 1, "+" + "ACGTTGCA" * 8, "640", "PASS", "END=1100;SVTYPE=INS;SVLEN=64"),
    (1200, 1, "<DEL>", "80", "PASS", "END=2200;SVTYPE=DEL;SVLEN=-1000;IMPRECISE;CIPOS=-20,20"),
    (1300, 1, "<INS>", "70", "PASS", "END=1300;SVTYPE=INS;LEFT_SVINSSEQ=ACGT"),
    (1400, 1, "<DUP:TANDEM>", "60", "PASS", "END=1900;SVTYPE=DUP;SVLEN=500"),
    (1500, 1, "<INS:ME:ALU>", ".", ".", "SVTYPE=INS"),
    (1600, 1, "<CN0>,<CN2>", "100", "PASS", "END=1700;SVTYPE=CNV"),
    (1700, 1, "G[demo2:400[", "55", "PASS", "SVTYPE=BND;MATEID=b2"),
    (1800, 1, "]demo2:500]G", "55", "PASS", "SVTYPE=BND;MATEID=b4"),
    (1900, 1, "G.", "20", "PASS", "SVTYPE=BND"),
    (1950, 1, ".G", "20", "PASS", "SVTYPE=BND"),
    (2000, 1, "[<ctg1>:7[G", ".", ".", "SVTYPE=BND"),
    (2100, 3, "<DEL>,-", "90", "PASS", "END=2102"),
    # Across the origin of a circular genome, or an imprecise end: it lies behind the contig's.
    (2200, 1, "<DEL>", "90", "PASS", "END=30400;SVTYPE=DEL"),
])

# ---- what the specification allows besides: letters, genotypes, missing values --------------------------------------------
letters = "##fileformat=VCFv4.2\n" + CONTIGS + "##contig=<ID=elsewhere>\n" + lines(
    "INFO", "DP|1|Integer|Depth\nDB|0|Flag|In dbSNP\nAO|A|Integer|Reads of each ALT\nR|R|Float|A number for each allele"
) + lines(
    "FORMAT",
    "GT|1|String|Genotype\nAD|R|Integer|Reads of each allele\nDP|1|Integer|Depth\nPL|G|Integer|Likelihoods\nGQ|1|Integer|Quality",
)
lower = GENOME["demo1"][2001 - 1].lower()
write("letters.vcf", letters, ["demo"], [
    (0, "N", "ts", ".", ".", ".", "GT", "0/1"),
    (1, 1, "ts", "30", ".", ".", "GT", "1"),
    (2001, lower, "ts", "30", "q10;s50", "DP=10;DB", "GT:AD", "0|1:5,5"),
    (2010, 1, "g" if GENOME["demo1"][2009] != "G" else "a", "30", "PASS", "DB;;DP=10;", "GT:AD:DP:PL", "1|0:5,5"),
    (2020, 1, "M", "1.50e1", ".", "DP=.", "GT:AD", "./.:.,."),
    (2030, 1, "N", ".", ".", ".", "GT", "."),
    (2040, 1, "ts,tv,tw", ".", ".", "AO=1,2,3;R=1,.,3,4", "GT:PL", "0/1/2/3:."),
    (2050, 1, "ts", "inf", ".", "AO=.", "GT:AD:PL", "0/0/1/1:.:."),
    (2060, 1, "=", "30", ".", "DP=10", "GT", "0/1"),
    (2070, 1, "=,ts", "30", ".", "DP=10", "GT", "1/2"),
    (2080, 1, "*,<NON_REF>", "30", ".", "DP=10", "GT", "0/1"),
    (2090, 1, "<NON_REF>,ts", "30", ".", "DP=10", "GT", "0/2"),
    (2100, 2, "-,*,<DEL>", "30", ".", "DP=10;END=2101", "GT", "./1"),
    (2110, 3, "ACGTACGT", "nan", ".", "DP=x", "GT:GQ", "0/1/1:99"),
    (2120, 1, ".", "30", ".", "DP=10", "GT", "0/0"),
    (7778, 1, "T", "30", ".", "DP=10", "GT", "0/1"),
    (7778, "A", "T", "30", ".", "DP=10", "GT", "0/1"),
    (9050, 1, "ts", "30", ".", "DP=10", "GT", "0/1"),
    (30000, 1, "ts", "30", ".", "DP=10", "GT", "0|1|1|1|1|1|1|1"),
    ("elsewhere", 5, "A", "C", "30", ".", "DP=10", "GT", "0/1"),
])
