"""Tries the program of examples/search as a user would: check_search.py SEARCH FOLDER; FOLDER as make_model.py leaves it."""

import pathlib
import subprocess
import sys
import tempfile

SENTENCES = pathlib.Path(__file__).resolve().parents[2] / "examples/search/sentences.txt"
FINDS = {  # a query to what must be among the best two
    "how do animals find their way?": ["Swallows cross the Sahara"],
    "software bug": ["The interpreter leaks memory", "The patch closes a hole"],
    "cooking rice": ["Stir the risotto"],
}


def main():
    program, folder = sys.argv[1:]

    def run(*words, data=b""):
        return subprocess.run([program, *words], input=data, capture_output=True)

    def ranked(done):
        assert done.returncode == 0, done.stderr
        rows = [line.split(maxsplit=1) for line in done.stdout.decode().splitlines()]
        cosines = [float(cosine) for cosine, _ in rows]
        assert cosines == sorted(cosines, reverse=True), cosines
        return cosines, [text for _, text in rows]

    def refused(status, words, done):
        assert done.returncode == status and words in done.stderr.decode() and not done.stdout, done

    with tempfile.TemporaryDirectory(prefix="tuff-search-") as name:
        cache = ["--cache", name]
        for query, wanted in FINDS.items():
            _, texts = ranked(run(folder, query, SENTENCES, "--best", "2", *cache))
            assert len(texts) == 2, texts
            for start in wanted:
                assert any(text.startswith(start) for text in texts), f"{query}: {texts}"

        # One sentence, a Windows line end, an empty line and one beyond the limit; the same texts mean the same.
        cosines, texts = ranked(run(folder, "Rain.", data=b"Rain.\r\n\n" + b"snow " * 400 + b"\n", *cache))
        assert len(texts) == 2 and texts[0] == "Rain." and abs(cosines[0] - 1) < 1e-3, (cosines, texts)
        refused(1, "There is no sentence", run(folder, "x", data=b"\n \n", *cache))
        refused(1, "cannot be read", run(folder, "x", pathlib.Path(name) / "none.txt"))
        refused(1, "cannot be read", run(folder, "x", name))
        refused(1, "vocab.txt", run(name, "x", data=b"y\n"))
    refused(2, "2 or 3 arguments", run(folder))
    refused(2, "The query is empty", run(folder, " "))
    refused(2, "There is no option '--bset'", run(folder, "x", "--bset"))
    refused(2, "has no value", run(folder, "x", "--best"))
    refused(2, "'0' is not", run(folder, "x", "-n", "0"))
    assert run("--help").stdout.startswith(b"search: "), "--help"
    print("what is near is found, and what is wrong is told")


if __name__ == "__main__":
    main()
