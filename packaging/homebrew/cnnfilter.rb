# typed: strict
# frozen_string_literal: true

# Homebrew's recipe: builds the program, its manual pages and its completions.
class Cnnfilter < Formula
  desc "Decides which of a variant caller's calls are real"
  homepage "@HOME@"
  url "@HOME@/releases/download/v@VERSION@/cnnfilter-@VERSION@.tar.gz"
  sha256 "@SHA256@"
  license any_of: ["MIT", "Apache-2.0"]

  depends_on "llvm" => :build
  depends_on "rust" => :build

  def install
    ENV["LIBCLANG_PATH"] = Formula["llvm"].opt_lib
    system "cargo", "install", *std_cargo_args
    system bin/"cnnfilter", "man", "--quiet", "-o", man1
    generate_completions_from_executable(bin/"cnnfilter", "completions", shells: [:bash, :zsh, :fish])
  end

  test do
    assert_equal "cnnfilter #{version}", shell_output("#{bin}/cnnfilter -V").strip
    assert_match "htslib: ", shell_output("#{bin}/cnnfilter --version")
    (testpath/"ref.fa").write ">chr1\n#{"ACGTTGCAAGCTTCAGGATC" * 20}\n"
    (testpath/"ref.fa.fai").write "chr1\t400\t6\t400\t401\n"
    (testpath/"calls.vcf").write <<~VCF
      ##fileformat=VCFv4.2
      ##contig=<ID=chr1,length=400>
      #CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO
      chr1\t201\t.\tA\tC\t50\t.\t.
    VCF
    assert_match "CNN_1D=", shell_output("#{bin}/cnnfilter score -q -V calls.vcf -R ref.fa")
  end
end
