from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscriptions import query
from subscriptions.query import And, Not, Or, ProseError, QueryError, Term, all_of, any_of, negated, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("protein  folding", "folding protein"),
        ("Networks", "networks"),
        ('"protein folding" OR diffus*', '"protein folding" OR diffus*'),
        ("a b OR c d", "a b OR c d"),
        ("(a OR b) c", "(a OR b) c"),
        ("a (b (c d))", "a b c d"),
        ("a OR (b OR a)", "a OR b"),
        ("speech NOT survey", "speech -survey"),
        ("speech -(survey OR review)", "speech -(review OR survey)"),
        ("NOT (NOT a)", "a"),
        ("few-shot", '"few shot"'),
        ("title:(a OR b)", "title:a OR title:b"),
        ("title:deep abstract:=news", "abstract:=news title:deep"),
        ('author:"Bengio, Yoshua"', 'author:"yoshua bengio"'),
        ("AUTHOR:Erdős", "author:erdos"),
        ("cat:cs.LG cat:cs.*", "cat:cs.* cat:cs.lg"),
        ("cat:(cs.LG OR stat.ML)", "cat:cs.lg OR cat:stat.ml"),
        ('cat:"Cell_Biology"', 'cat:"cell biology"'),
        ("C++ OR GPT-4", '"gpt 4" OR c++'),
        (r"$\alpha$ α", "alpha"),
        ("蛋白质", '"蛋白质"'),
        ("to be or not", "be not or to"),
        ("“smart quotes”", '"smart quotes"'),
        ("speech –survey", "speech -survey"),
        ("a AND b", "a b"),
        ('="deep nets"', '="deep nets"'),
        ('"deep learn*"', '"deep learn*"'),
        ("enzyme !review", "enzyme -review"),
        ("enzyme && kinase", "enzyme kinase"),
        ("enzyme || kinase", "enzyme OR kinase"),
        ("(enzyme||kinase)&&!review", "(enzyme OR kinase) -review"),
        ("enzyme !(review || survey)", "enzyme -(review OR survey)"),
        ("enzyme AND !=reviews", "enzyme -=reviews"),
        ("R&D Yahoo!", '"r d" yahoo'),
        ('cat:"r&d" cat:"!x"', 'cat:"!x" cat:r&d'),
        ("author:O'Hara", "author:o-hara"),
        ('author:"van den Broek, Lisa"', 'author:"lisa van-den-broek"'),
    ],
)
def test_equal_queries_have_one_canonical_text(text: str, expected: str) -> None:
    assert query.canonical(text) == expected


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "at least one word"),
        ("   ", 1, "at least one word"),
        ("-a", 1, "leave out"),
        ("NOT (a b)", 1, "leave out"),
        ("a OR -b", 1, "leave out"),
        ("(a b", 1, "never closed"),
        ("a b)", 4, "no opening"),
        ("a ()", 3, "nothing in these"),
        ('say "cheese', 5, "never closed"),
        ("OR a", 1, "needs a word before"),
        ("a OR", 3, "needs a word after"),
        ("a AND OR b", 3, "needs a word after"),
        ("a NOT", 3, "needs a word after"),
        ("di*", 1, "3 letters"),
        ("dif*usion", 4, "end of a word"),
        ("diff**", 5, "end of a word"),
        ("venue:ICML", 1, "no field"),
        ("Titel: deep", 1, "Did you mean title:?"),
        ("autor:bengio", 1, "Did you mean author:?"),
        ("deep abstrakt:nets", 6, "Did you mean abstract:?"),
        ("title: deep", 1, "right after the colon"),
        ("title:-deep", 1, "right after the colon"),
        ("x title:(author:b)", 10, "inside title:"),
        ("a & b", 3, "no letter or digit"),
        ('a ""', 3, "Nothing stands between"),
        ('""(((', 1, "Nothing stands between"),
        ('a "?!"', 3, "look for in “?!”"),
        ("a - b", 3, "must touch"),
        ("a ! b", 3, "must touch"),
        ("a &&", 3, "needs a word after"),
        ("|| a", 1, "needs a word before"),
        ("=diff*", 1, "exact"),
        ("= a", 1, "must touch"),
        ("cat:=cs.LG", 5, "always exact"),
        ("机器学*", 1, "Leave out the star"),
        ("((((((((( a", 9, "deep"),
        ("a " * 101, 201, "100 words"),
        ("x" * 501, 501, "500"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence_and_a_column(text: str, column: int, words: str) -> None:
    with pytest.raises(QueryError) as refusal:
        parse(text)
    assert words in refusal.value.message
    assert refusal.value.column == column
    assert refusal.value.message.endswith((".", ")", "folding"))


@pytest.mark.parametrize(
    "text", ["BERT: pre-training", "Chat: a study", "end of it:", "a - b", "“Why?”: reasons", "a & b"]
)
def test_what_stops_at_punctuation_may_be_prose(text: str) -> None:
    with pytest.raises(ProseError):
        parse(text)


@pytest.mark.parametrize("text", ["venue:ICML", "titel: deep", "title: deep", "(a b", 'say "cheese', "a OR", "= a"])
def test_a_slip_in_a_filter_is_not_prose(text: str) -> None:
    with pytest.raises(QueryError) as refusal:
        parse(text)
    assert not isinstance(refusal.value, ProseError)


@pytest.mark.parametrize(
    "text",
    ["BERT: a OR b", "BERT: title:deep", "BERT: -survey", "BERT: (=deep)", "BERT: diffus*", "BERT: !a", "BERT: a || b"],
)
def test_a_text_that_uses_the_language_is_not_plain(text: str) -> None:
    assert query.plain(text) == ""


@given(st.text(max_size=60))
def test_a_plain_text_is_a_query_of_its_words(text: str) -> None:
    written = query.plain(text)
    assert not written or query.canonical(written)


simple_words = st.sampled_from(["deep", "net", "nets", "c++", "3d", "γαμμα", "or", "not", "and", "蛋", "erdos", "k"])
text_terms = st.builds(
    Term,
    st.lists(simple_words, min_size=1, max_size=3).map(tuple),
    st.sampled_from(["", "title", "abstract"]),
    st.booleans(),
)
prefixes = st.builds(lambda head: Term((*head, "diff"), prefix=True), st.lists(simple_words, max_size=2))
AUTHORS = [
    ("yoshua", "bengio"),
    ("y", "bengio"),
    ("li",),
    ("o-hara",),
    ("s", "el-amin"),
    ("lisa", "van-den-broek"),
    ("王",),
]
authors = st.builds(Term, st.sampled_from(AUTHORS), st.just("author"))
names = st.builds(
    lambda name, field, prefix: Term((name,), field, prefix=prefix),
    st.sampled_from(["cs.lg", "cs.", "cell biology", "q-bio.nc", "hugging-face", "-x", "!x", "a&&b", "r&d", "a||b"]),
    st.sampled_from(["cat", "source"]),
    st.booleans(),
)
leaves = st.one_of(text_terms, prefixes, authors, names)
trees = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(all_of),
        st.lists(inner, min_size=2, max_size=3).map(any_of),
        inner.map(negated),
    ),
    max_leaves=8,
)


@pytest.mark.thorough
@given(trees, leaves)
def test_a_tree_written_out_is_read_back_the_same(tree: query.Node, anchor: Term) -> None:
    tree = all_of([anchor, tree])
    assert parse(query.format(tree), longest=5000) == tree


@given(st.text(alphabet=' ()"-=*:abcORNTDtitlecau.蛋α\\$', max_size=60))
def test_any_text_is_either_read_or_refused_kindly(text: str) -> None:
    try:
        written = query.canonical(text)
    except QueryError as refusal:
        columns = range(1, len(text) + 2)
        assert refusal.column in columns  # noqa: PT017
    else:
        assert query.canonical(written) == written


@given(st.text(max_size=40))
def test_canonical_text_is_its_own_canonical_text(text: str) -> None:
    try:
        written = query.canonical(text)
    except QueryError:
        return
    assert query.canonical(written) == written


@pytest.mark.parametrize("text", ["(" * 500, '"' * 499, "-" * 500, "a* " * 166, "\\v{" * 166, "α" * 500, "a" * 500])
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    with contextlib.suppress(QueryError):
        parse(text)
    assert time.process_time() - started < 1


def test_only_what_asks_for_something_explains_a_match() -> None:
    tree = parse('speech -(survey OR review) (title:noise OR "far field")')
    assert {term.words[0] for term in query.positive_terms(tree)} == {"speech", "noise", "far"}
    assert len(list(query.terms(tree))) == 5
    assert isinstance(tree, And)
    assert isinstance(negated(tree), Not)
    assert isinstance(parse("a OR b"), Or)


@pytest.mark.parametrize(
    ("text", "unwanted"),
    [
        ("-survey", "survey"),
        ("NOT (deep learning)", "deep learning"),
        ("-survey -review", "review OR survey"),
        ("!survey", "survey"),
        ("!survey && !review", "review OR survey"),
        ("-(survey OR review)", "review OR survey"),
        ("speech -survey", ""),
        ("speech", ""),
        ("-survey OR speech", ""),
    ],
)
def test_what_a_query_that_only_leaves_out_leaves_out(text, unwanted):
    assert query.left_out(text) == unwanted


@pytest.mark.parametrize(
    "text",
    [
        "how do speech models cope with noise",
        "I study reading: how children (aged six) learn - and don’t.",
        "Why do agents such as GPT-4 fail? " * 30,
    ],
)
def test_a_sentence_is_prose(text):
    assert query.is_prose(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "protein folding by neural",
        '"how do speech models cope with noise"',
        "speech models AND noise in cars",
        "speech models in noise -cars trains",
        "speech models in noise author:Hinton trains",
        "speech models in noise diffus* trains",
        "speech models in noise =news trains",
        "- - - - - -",
    ],
)
def test_a_filter_is_no_prose(text):
    assert not query.is_prose(text)
