"""Writes characters.inc, what BERT's tokenizer makes of each character: python3 make_characters.py > characters.inc

In: the Python package tokenizers, of the version that tests/search/requirements.txt names. Out: C++ tables on stdout.
Invariant: every code point is tried, so that the tables do what that package does, with the Unicode that it knows.
"""

import textwrap

from tokenizers import normalizers, pre_tokenizers

HANGUL = range(0xAC00, 0xD7A4)  # syllables, which a formula takes apart


def ranges(codes):
    found = []
    for code in codes:
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return found


def shifts(folds):
    """[first, last, step, distance] for what lies at equal steps and moves by the same distance."""
    found = []
    for code, to in folds:
        if found and found[-1][3] == to - code:
            first, last, step, distance = found[-1]
            if code - last == step or (first == last and code - last <= 2):
                found[-1] = [first, code, code - last, distance]
                continue
        found.append([code, code, 1, to - code])
    return found


def table(comment, head, rows):
    print(f"// {comment}\nconstexpr {head} = {{")
    print(textwrap.fill(", ".join(rows), width=126, initial_indent="  ", subsequent_indent="  ", break_on_hyphens=False))
    print("};\n")


def row(*values):
    return "{" + ",".join(f"{value:#x}" for value in values) + "}"


def main():
    normalizer = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=True, strip_accents=None, lowercase=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    removed, spaces, ideographs, punctuation, single, several = [], [], [], [], [], []
    for code in range(0x110000):
        if 0xD800 <= code < 0xE000:
            continue
        character = chr(code)
        after = normalizer.normalize_str(character)
        if len(splitter.pre_tokenize_str(f"a{character}a")) == 3:
            punctuation.append(code)
        if after == "":
            removed.append(code)
        elif after == " ":
            spaces.append(code)
        else:
            if after[0] == " ":
                ideographs.append(code)
            after = after.strip(" ")
            if after != character and code not in HANGUL:
                (single if len(after) == 1 else several).append((code, after))

    print("// Made by make_characters.py; each table is sorted. Struct names are tokenizer.cpp's.\n")
    table("Control characters and the marks that decomposing leaves of accents.", "Range kRemoved[]",
          [row(*r) for r in ranges(removed)])
    table("They separate words.", "Range kSpaces[]", [row(*r) for r in ranges(spaces)])
    table("Each is a word.", "Range kIdeographs[]", [row(*r) for r in ranges(ideographs)])
    table("Each is a word, too.", "Range kPunctuation[]", [row(*r) for r in ranges(punctuation)])
    found = shifts([(code, ord(after)) for code, after in single])
    table("{first, last, step, to}: lower case and characters without their accents, where several have the same distance.",
          "Shift kShifts[]", [row(a, b, step, a + distance) for a, b, step, distance in found if a != b])
    table("{from, to}: the others.", "Fold kFolds[]", [row(a, a + distance) for a, b, _, distance in found if a == b])
    table("{from, {to...}}: what is more than one character.", "LongFold kLongFolds[]",
          [f"{{{code:#x},{row(*map(ord, after))}}}" for code, after in several])


if __name__ == "__main__":
    main()
