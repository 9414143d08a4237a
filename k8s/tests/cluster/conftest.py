"""The order of the tests: what takes longest begins first, beside all others."""


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.path.stem != "test_walk")
