"""What manifests tell `gx`, asked of `gx` itself: every variable is a setting, every value
is taken, every argument is understood."""

import tomllib

import pytest
import yaml

import document as d
import gx
import tree as t

CONTAINERS = [
    pytest.param(environment, workload["metadata"]["name"], container["name"],
                 id=f"{environment}-{workload['metadata']['name']}-{container['name']}")
    for environment in t.ENVIRONMENTS
    for workload, _, container in gx.gx_containers(t.objects(environment))
]


def found(environment, workload, name):
    tree = t.objects(environment)
    for each, pod, container in gx.gx_containers(tree):
        if (each["metadata"]["name"], container["name"]) == (workload, name):
            return tree, pod, container
    raise AssertionError(name)


@pytest.mark.parametrize(("environment", "workload", "name"), CONTAINERS)
def test_gx_takes_every_setting(environment, workload, name, tmp_path):
    tree, pod, container = found(environment, workload, name)
    gx.mount(tmp_path, pod, container)
    variables = gx.variables(tmp_path, tree, container)
    status, told = gx.run(["config", "check"], variables)
    assert status == 0, told
    assert f'environment = "{variables.get("GX_ENVIRONMENT", "local")}"' in told
    # And a place for a value that Kubernetes never filled would be seen.
    assert "$(" not in str(variables)


@pytest.mark.parametrize(("environment", "workload", "name"), CONTAINERS)
def test_gx_understands_every_argument(environment, workload, name):
    _, _, container = found(environment, workload, name)
    status, told = gx.run([*container["args"], "--help"], {})
    assert status == 0, told


def test_a_misspelt_variable_is_refused(tmp_path):
    tree, pod, container = found("mainnet", "outbox-submitter", "gx")
    gx.mount(tmp_path, pod, container)
    variables = gx.variables(tmp_path, tree, container)
    for name in variables:
        wrong = {other: value for other, value in variables.items() if other != name}
        status, told = gx.run(["config", "check"], wrong | {name + "X": variables[name]})
        assert status == 1 and f"{name}X: unknown variable" in told, told


def test_what_a_service_link_would_set_is_refused(tmp_path):
    """Why pods have enableServiceLinks: false."""
    tree, pod, container = found("mainnet", "svc-wallet", "gx")
    gx.mount(tmp_path, pod, container)
    variables = gx.variables(tmp_path, tree, container)
    link = {"GX_CHAINCODE_PORT": "tcp://10.43.0.1:9999"}
    status, told = gx.run(["config", "check"], variables | link)
    assert status == 1 and "GX_CHAINCODE_PORT" in told


@pytest.mark.parametrize("environment", t.ENVIRONMENTS)
def test_the_init_container_makes_the_gateway_that_is_tested_elsewhere(environment, tmp_path):
    tree, pod, container = found(environment, "api-gateway", "configuration")
    gx.mount(tmp_path, pod, container)
    out = container["args"].index("--out") + 1
    arguments = list(container["args"])
    arguments[out] = f"{tmp_path}{arguments[out]}"
    status, told = gx.run(arguments, gx.variables(tmp_path, tree, container))
    assert status == 0, told
    made = (tmp_path / "gateway/envoy.yaml").read_text().replace(str(tmp_path), "")
    assert yaml.safe_load(made) == yaml.safe_load((t.ROOT / "envoy/kubernetes.yaml").read_text())
    assert (tmp_path / "gateway/gx.binpb").stat().st_size > 0
    envoy = t.pod_template(t.named(tree, "Deployment", "api-gateway"))["spec"]["containers"][0]
    assert envoy["args"][:2] == ["--config-path", "/gateway/envoy.yaml"]
    ports = {each["containerPort"] for each in envoy["ports"]}
    listeners = yaml.safe_load(made)["static_resources"]["listeners"]
    assert {each["address"]["socket_address"]["port_value"] for each in listeners} == ports


@pytest.mark.parametrize("environment", t.ENVIRONMENTS)
def test_services_and_gateway_count_calls_alike(environment):
    """The gateway's limits are those of the services behind it."""
    tree = t.objects(environment)
    _, _, service = found(environment, "svc-wallet", "gx")
    _, _, gateway = found(environment, "api-gateway", "configuration")
    limits = [
        {name: value for name, value in t.variables(tree, each).items() if name.startswith("GX_LIMITS__")}
        for each in (service, gateway)
    ]
    assert limits[0] == limits[1] and limits[0]


def test_ports_are_those_of_gx_itself():
    """Where no setting says otherwise, `gx` listens where the manifests look."""
    status, told = gx.run(["config", "defaults"], {})
    assert status == 0
    settings = tomllib.loads(told)
    ports = {name: settings["listen"][name.removeprefix("svc-")] for name in d.PORTS if name.startswith("svc-")}
    ports |= {"api-gateway": settings["gateway"]["port"], "gx-chaincode": settings["chaincode"]["port"]}
    assert ports == d.PORTS
    assert settings["listen"]["metrics"] == d.METRICS
    for environment in t.ENVIRONMENTS:
        for _, _, container in gx.gx_containers(t.objects(environment)):
            moved = {name for name in t.variables(t.objects(environment), container) if name.startswith("GX_LISTEN__")}
            assert moved <= {"GX_LISTEN__HOST", "GX_LISTEN__METRICS"}
