from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.matching import PaperIndex
from subscriptions.query import And, Node, Or, Term, all_of, any_of, canonical, negated, parse, tokenizer
from tests.digest.matching.papers import day, paper


def found(text: str, among: PaperIndex) -> list[str]:
    """Titles a query finds, in the day's order."""
    return [among.papers[place].title for place in among.places(among.bits(parse(text)))]


LIBRARY = day(
    paper("Protein folding with networks", "We fold. Few-shot learning of C++ programs with GPT-4."),
    paper("Folding chairs", "No protein was harmed; a network was."),
    paper("Diffusion for speech", "Diffusing $\\alpha$-stable noise in 3D with k-NN."),
    paper("A survey of speech", "Erdős numbers; 蛋白质 too. Classes and news."),
    paper("Graph neural", "networks are graphs"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("protein folding", [0, 1]),
        ('"protein folding"', [0]),
        ("diffus*", [2]),
        ("title:diffus*", [2]),
        ("abstract:diffus*", [2]),
        ("abstract:diffusion", []),
        ("speech -survey", [2]),
        ("speech OR protein", [0, 1, 2, 3]),
        ("(speech OR protein) -survey -chairs", [0, 2]),
        ("title:protein", [0]),
        ("networks", [0, 1, 4]),
        ("=networks", [0, 4]),
        ("=network", [1]),
        ('"neural networks"', []),  # the one stands at the title's end, the other starts the abstract
        ('"no protein"', [1]),
        ("few shot", [0]),
        ("few-shot", [0]),
        ("C++", [0]),
        ("C", []),
        ("GPT-4", [0]),
        ("k-nn 3d", [2]),
        ("α", [2]),
        (r"$\alpha$", [2]),
        ("erdos", [3]),
        ("蛋白", [3]),
        ("蛋质", []),
        ("class", []),  # the plural rule is simple: `classes` is the plural of `classe`
        ('="news"', [3]),
        ('"speech diff*"', []),
        ('"diffusion for spee*"', [2]),
        ("zzz", []),
        ("zzz*", []),
        ("speech -zzz", [2, 3]),
    ],
)
def test_a_query_finds_its_papers(text: str, expected: list[int]) -> None:
    assert found(text, LIBRARY) == [LIBRARY.papers[place].title for place in expected]


PEOPLE = day(
    paper(
        "one", authors=("Yoshua Bengio", "Geoffrey E. Hinton"), categories=("cs.LG", "stat.ML"), sources=("arxiv-cs",)
    ),
    paper("two", authors=("Y. Bengio",), categories=("cs.CL",), sources=("arxiv-cs", "huggingface")),
    paper("three", authors=("Bengio, Samy",), categories=("cell biology",), sources=("biorxiv",)),
    paper("four", authors=("Paul Erdős",), categories=("csx.LG", "math"), sources=("arxivist",)),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('author:"Yoshua Bengio"', "one two"),
        ("author:bengio", "one two three"),
        ('author:"S. Bengio"', "three"),
        ('author:"Geoffrey Hinton"', "one"),
        ("author:Erdos", "four"),
        ("author:beng*", "one two three"),
        ("author:(hinton OR erdos)", "one four"),
        ("bengio", ""),
        ("cat:cs.LG", "one"),
        ("cat:cs.*", "one two"),
        ("cat:cs", "one two"),
        ("cat:CS.C*", "two"),
        ("cat:math.*", "four"),
        ('cat:"Cell Biology"', "three"),
        ("cat:cell_biology", "three"),
        ("source:arxiv", "one two"),
        ("source:arxiv*", "one two four"),
        ("source:huggingface -author:hinton", "two"),
    ],
)
def test_people_categories_and_sources_are_found(text: str, expected: str) -> None:
    assert " ".join(found(text, PEOPLE)) == expected


def test_the_better_paper_comes_first() -> None:
    among = day(
        paper("Chairs", "A long text about chairs that mentions speech once among many other words of no weight."),
        paper("Speech", "Speech about speech."),
        paper("Tables", "speech"),
        "Nothing",
    )
    assert among.hits("speech").places.tolist() == [1, 2, 0]


def test_a_rare_word_weighs_more_than_a_common_one() -> None:
    among = day("model", "model speech", "model bird", "model", "model", "bird")
    scores = among.scores(parse("speech OR model"))
    assert scores[1] > scores[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("network* OR chairs", ("networks",)),
        ("folding few-shot -chairs", ("folding", "few", "shot")),
        ("protein -speech", ("protein",)),
    ],
)
def test_the_words_that_answered_are_told(text: str, expected: tuple[str, ...]) -> None:
    assert set(LIBRARY.words(parse(text), 0)) == set(expected)


def test_names_are_told_as_printed() -> None:
    assert PEOPLE.words_for(canonical("author:hinton cat:cs.* source:arxiv"), 0) == (
        "Geoffrey E. Hinton",
        "cs.LG",
        "arxiv-cs",
    )


def test_a_day_without_papers_answers_everything_with_nothing() -> None:
    empty = PaperIndex.build([])
    asked = ["a", "abc*", '"a b"', "author:x", "cat:y", "a OR b"]
    assert [len(empty.hits(canonical(text))) for text in asked] == [0] * 6


small = st.sampled_from(["red", "reds", "blue", "blues", "sea", "redder", "is"])
texts = st.lists(small, max_size=6).map(" ".join)
papers_strategy = st.lists(st.tuples(texts, texts), min_size=1, max_size=12)
term_strategy = st.one_of(
    st.builds(
        Term,
        st.lists(small, min_size=1, max_size=3).map(tuple),
        st.sampled_from(["", "title", "abstract"]),
        st.booleans(),
    ),
    st.builds(
        lambda head, field: Term((*head, "red"), field, prefix=True),
        st.lists(small, max_size=1),
        st.sampled_from(["", "title", "abstract"]),
    ),
)
tree_strategy = st.recursive(
    term_strategy,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(all_of),
        st.lists(inner, min_size=2, max_size=3).map(any_of),
        inner.map(negated),
    ),
    max_leaves=6,
)


def plainly(tree: Node, title: str, abstract: str) -> bool:
    """The same question answered slowly, word by word."""
    if isinstance(tree, And):
        return all(plainly(part, title, abstract) for part in tree.parts)
    if isinstance(tree, Or):
        return any(plainly(part, title, abstract) for part in tree.parts)
    if not isinstance(tree, Term):
        return not plainly(tree.part, title, abstract)
    fields = {"title": [title], "abstract": [abstract]}.get(tree.field, [title, abstract])
    return any(_stands(tree, tokenizer.tokens(text)) for text in fields)


def _stands(term: Term, text: list[str]) -> bool:
    def same(at: int, word: str) -> bool:
        asked = term.words[at]
        if term.prefix and at == len(term.words) - 1:
            return word.startswith(asked)
        return word == asked if term.exact else tokenizer.stem(word) == tokenizer.stem(asked)

    size = len(term.words)
    return any(all(same(at, text[start + at]) for at in range(size)) for start in range(len(text) - size + 1))


@pytest.mark.thorough
@given(papers_strategy, tree_strategy)
def test_the_index_agrees_with_reading_every_paper(rows: list[tuple[str, str]], tree: Node) -> None:
    among = PaperIndex.build(paper(title, abstract) for title, abstract in rows)
    expected = [place for place, (title, abstract) in enumerate(rows) if plainly(tree, title, abstract)]
    assert among.places(among.bits(tree)).tolist() == expected


@given(papers_strategy)
def test_it_knows_how_many_papers_hold_a_stem(rows: list[tuple[str, str]]) -> None:
    among = PaperIndex.build(paper(title, abstract) for title, abstract in rows)
    for stem in ("red", "sea", "blue", "nothing"):
        holding = sum(stem in map(tokenizer.stem, tokenizer.tokens(f"{title} {abstract}")) for title, abstract in rows)
        assert among.found(stem) == holding
