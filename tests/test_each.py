"""The helper that asks for many values in one test fails, skips and passes as the single questions would."""

import pytest

from tests.each import each


@each("number", [1, 2, 3])
def test_a_question_for_many_values(number, tmp_path):
    assert number > 0
    assert tmp_path.exists()


def test_it_fails_for_any_and_says_for_which():
    @each("number", [1, 2, 3, 4])
    def question(number):
        assert number % 2

    with pytest.raises(AssertionError) as caught:
        question()
    assert caught.value.__notes__ == ["for 2 of 4 values of number: 2, 4"]


def test_errors_count_as_failures():
    @each("number", [1, 0])
    def question(number):
        assert 1 / number

    with pytest.raises(ZeroDivisionError):
        question()


def test_it_skips_only_where_all_do():
    @each("number", [1, 2])
    def question(number, enough):
        if number > enough:
            pytest.skip("too large")

    question(enough=1)
    with pytest.raises(pytest.skip.Exception):
        question(enough=0)


def test_no_value_is_no_pass():
    with pytest.raises(AssertionError, match="no value of number"):
        each("number", [])(lambda number: None)()
