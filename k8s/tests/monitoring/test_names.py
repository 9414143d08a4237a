"""Rules and dashboards name what is there, and GX shows nothing that nobody looks at."""

import names
import promql_parser


def test_every_expression_can_be_read():
    assert sum(1 for _, text in names.expressions() if promql_parser.parse(text)) > 100


def test_every_metric_that_is_named_is_shown(known):
    assert names.unknown(known) == {}


def test_a_metric_that_is_gone_is_missed(known):
    for name in names.used():
        assert name in names.unknown(known - {name}), name


def test_every_metric_of_gx_is_looked_at():
    looked_at = {names.family(name) for name in names.used()}
    assert [name for name in names.gx() if names.family(name) not in looked_at] == []


def test_labels_that_are_asked_of_metrics_of_gx_are_theirs():
    labels = names.gx()
    for name, places in names.used().items():
        for place, asked in places:
            assert name not in labels or asked <= labels[name] | names.TARGET_LABELS, (place, name)


def test_names_that_are_documented_are_used():
    assert names.documented() <= set(names.used())


def test_recording_rules_are_used():
    everywhere = "\n".join(text for _, text in names.expressions())
    assert [name for name in names.recorded() if name not in everywhere] == []
