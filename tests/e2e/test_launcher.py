"""The launcher: which Python it takes, how it ends, what it says where there is none."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Play
from tests.e2e.conftest import MakeRunner, on_github
from tests.e2e.test_action import wait_for
from tests.runner.checkout import ROOT

LAUNCHER = ROOT / "lib" / "launcher"
NODE = shutil.which("node") or "node"
TOO_OLD = 86


def old_pythons() -> list[Path]:
    """Find the interpreters on this machine that are too old."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names = ("2.7.*", "3.[0-9].*")
    return sorted(path for name in names for path in versions.glob(f"{name}/bin/python"))


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a program into a folder of its own, and give the folder."""

    def write(name: str, script: str) -> Path:
        folder = tmp_path / f"path-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
        path.chmod(0o755)
        return folder

    return write


def launch(
    stage: str, *folders: Path | str, environment: dict[str, str] | None = None
) -> tuple[int, str]:
    """Start a stage with these folders as PATH, and give exit code and output."""
    done = subprocess.run(
        [NODE, str(LAUNCHER / f"{stage}.cjs")],
        env={"PATH": os.pathsep.join(map(str, folders)), **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=30,
    )
    return done.returncode, done.stdout


def says(word: str, code: int = 0) -> str:
    """Give a script that says which one it is."""
    return f"echo {word}; exit {code}"


Program = Callable[[str, str], Path]


def test_python_location_comes_first(program: Program) -> None:
    """What actions/setup-python set up is taken before anything on PATH."""
    chosen = program("unused", "") / "home"
    (chosen / "bin").mkdir(parents=True)
    shutil.copy(program("python3", says("chosen")) / "python3", chosen / "bin" / "python3")

    code, output = launch(
        "main", program("python3", says("path")), environment={"pythonLocation": str(chosen)}
    )
    assert (code, output) == (0, "chosen\n")


def test_path_is_searched_for_python3_then_versions_newest_first_then_python(
    program: Program,
) -> None:
    """Of what is on PATH python3 is tried first, python3.x newest first, python last."""
    refuse = f"; exit {TOO_OLD}"
    folders = [
        program("python", "echo python" + refuse),
        program("python3.9", "echo 3.9" + refuse),
        program("python3.12", "echo 3.12" + refuse),
        program("python3.13", "echo 3.13" + refuse),
        program("python3", "echo 3" + refuse),
        program("python3-config", "echo config"),
    ]
    _, output = launch("main", *folders)

    assert output.split("::")[0].split() == ["3", "3.13", "3.12", "3.9", "python"]


def test_a_good_python_behind_an_old_one_is_found(program: Program) -> None:
    """An interpreter that is too old is passed over for the next one of the same name."""
    folders = [program("python3", f"exit {TOO_OLD}"), program("python3", says("good"))]

    assert launch("main", *folders) == (0, "good\n")


@pytest.mark.parametrize("code", [126, 127, TOO_OLD])
def test_the_tool_cache_comes_last_newest_first(
    program: Program, tmp_path: Path, code: int
) -> None:
    """Without a good one on PATH the runner's tool cache is searched, newest first."""
    for version in ("3.9.1", "3.10.2", "3.12.0"):
        found = tmp_path / "cache" / "Python" / version / "x64" / "bin"
        found.mkdir(parents=True)
        shutil.copy(program("python3", says(version)) / "python3", found / "python3")

    cache = {"RUNNER_TOOL_CACHE": str(tmp_path / "cache")}
    assert launch("main", program("python3", f"exit {code}"), environment=cache) == (
        0,
        "3.12.0\n",
    )


def test_a_file_that_does_not_start_is_passed_over(program: Program) -> None:
    """A script without its interpreter, and a file without the right to run, are no Python."""
    broken, unfit = program("python3", ""), program("python3", "")
    (broken / "python3").write_text("#!/no/such/interpreter\n", "utf-8")
    (unfit / "python3").chmod(0o644)

    assert launch("main", broken, unfit, program("python3", says("good"))) == (0, "good\n")


def test_without_python_main_fails_with_one_error(program: Program) -> None:
    """The error names the version, what was looked at, and actions/setup-python."""
    folder = program("python3", f"exit {TOO_OLD}")

    code, output = launch("main", folder)

    assert code == 1
    assert output.startswith("::error::")
    assert output.count("\n") == 1
    for said in ("3.10", f"{folder}/python3", "actions/setup-python"):
        assert said in output


def test_a_path_gives_the_runner_no_command(program: Program, tmp_path: Path) -> None:
    """A folder on PATH may have any name; in the error it is text on one line."""
    folder = tmp_path / "x\n::error::y"
    shutil.copytree(program("python3", f"exit {TOO_OLD}"), folder)

    _, output = launch("main", folder)

    assert output.count("\n") == 1


def test_without_python_post_warns_and_stays_green(program: Program) -> None:
    """Post never fails the job, with no Python either."""
    code, output = launch("post", program("other", ""))

    assert code == 0
    assert output.startswith("::warning::")


@pytest.mark.parametrize("python", old_pythons(), ids=str)
def test_a_real_old_python_hands_back_without_a_word(program: Program, python: Path) -> None:
    """Every old interpreter reads as far as the gate and hands over to the next one."""
    old = program("python3", f'exec "{python}" "$@"')

    assert launch("main", old, program("python3", says("good"))) == (0, "good\n")


def test_old_pythons_are_there_in_ci() -> None:
    """In CI the test before this one must have something to run."""
    assert old_pythons() or os.environ.get("CI") != "true"


def test_the_gate_refuses_by_the_code_that_the_launcher_knows() -> None:
    """The package and the launcher agree on the exit code for an old interpreter."""
    package = (ROOT / "lib" / "__init__.py").read_text("utf-8")
    launcher = (LAUNCHER / "launch.cjs").read_text("utf-8")

    assert f"TOO_OLD = {TOO_OLD}" in package
    assert f"TRY_THE_NEXT = new Set([{TOO_OLD}," in launcher


def pythons() -> list[Path]:
    """Find the interpreters on this machine that are new enough, and are not a shim."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(path for path in versions.glob("3.1[0-9].*/bin/python"))
    return found or [Path(sys.executable)]


@pytest.mark.parametrize("python", pythons(), ids=str)
def test_every_python_that_is_new_enough_does_the_whole_work(
    fake_api: Play, make_runner: MakeRunner, program: Program, python: Path
) -> None:
    """Behind an old one on PATH, each logs in and out, and loads nothing that is not ours."""
    old = program("python3", f"exit {TOO_OLD}")
    good = program("python3", f'exec "{python}" "$@"')
    node = Path(NODE).parent
    runner = make_runner(
        fake_api("ghcr"), environment={"PATH": os.pathsep.join(map(str, (old, good, node)))}
    )

    main = runner.main()
    post = runner.post()

    assert (main.exit_code, post.exit_code) == (0, 0)
    assert main.log.annotations == post.log.annotations == []


@pytest.mark.parametrize("python", old_pythons(), ids=str)
def test_an_old_python_behind_a_good_one_is_never_started(program: Program, python: Path) -> None:
    """The first good one does the work."""
    old = program("python3", f'echo old; exec "{python}" "$@"')

    assert launch("main", program("python3", says("good")), old) == (0, "good\n")


def test_a_path_with_spaces_is_no_obstacle(program: Program, tmp_path: Path) -> None:
    """Neither in PATH nor in pythonLocation."""
    folder = tmp_path / "Program Files (x86)" / "bin"
    folder.mkdir(parents=True)
    shutil.copy(program("python3", says("good")) / "python3", folder / "python3")

    assert launch("main", folder) == (0, "good\n")
    assert launch("main", environment={"pythonLocation": str(folder.parent)}) == (0, "good\n")


def on_windows(files: list[str], **environment: str) -> list[list[str]]:
    """Ask the launcher's own function what it would start on Windows, with these files there."""
    script = """
        const { candidates } = require(process.argv[1]);
        const [files, env] = JSON.parse(process.argv[2]);
        const folder = (name) => files
          .filter((file) => file.startsWith(name + "\\\\"))
          .map((file) => file.slice(name.length + 1).split("\\\\")[0]);
        const fake = {
          existsSync: (name) => files.includes(name),
          readdirSync: (name) => [...new Set(folder(name))],
        };
        console.log(JSON.stringify([...candidates(env, "win32", fake)]));
    """
    command = [NODE, "-e", script, str(LAUNCHER / "launch.cjs"), json.dumps([files, environment])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: list[list[str]] = json.loads(done.stdout)
    return found


CACHE = r"C:\hostedtoolcache\windows"
STUB = r"C:\Users\me\AppData\Local\Microsoft\WindowsApps"


def test_windows_has_an_order_of_its_own() -> None:
    """pythonLocation, python.exe on PATH, the tool cache newest first, the launcher py.exe."""
    files = [
        rf"{CACHE}\Python\3.12.7\x64\python.exe",
        rf"{CACHE}\Python\3.9.13\x64\python.exe",
        rf"{CACHE}\Python\3.13.1\arm64\python.exe",
        r"C:\Windows\py.exe",
        r"C:\Program Files\Python313\python.exe",
        rf"{STUB}\python.exe",
        r"D:\chosen one\python.exe",
    ]
    found = on_windows(
        files,
        PATH=rf'C:\Windows;{STUB};"C:\Program Files\Python313";relative;',
        pythonLocation=r"D:\chosen one",
        RUNNER_TOOL_CACHE=CACHE,
    )

    assert found == [
        [r"D:\chosen one\python.exe"],
        [rf"{STUB}\python.exe"],
        [r"C:\Program Files\Python313\python.exe"],
        [rf"{CACHE}\Python\3.13.1\arm64\python.exe"],
        [rf"{CACHE}\Python\3.12.7\x64\python.exe"],
        [rf"{CACHE}\Python\3.9.13\x64\python.exe"],
        [r"C:\Windows\py.exe", "-3"],
    ]


def test_windows_names_of_other_systems_are_of_no_interest() -> None:
    """What is called python3 is no program there; a folder that is not absolute is not asked."""
    files = [r"C:\tools\python3", r"C:\tools\python3.12", r"tools\python.exe"]

    assert on_windows(files, PATH=r"C:\tools;tools") == []


@pytest.mark.parametrize("code", [103, 112])
def test_the_codes_for_no_python_are_known(program: Program, code: int) -> None:
    """py.exe that knows no Python 3 hands over to the next one; so does the store's stub (9009)."""
    launcher = (LAUNCHER / "launch.cjs").read_text("utf-8")

    assert ", 9009, 0xa0000004" in launcher  # no other system has so large a code
    unfit = program("python3", f"exit {code}")
    assert launch("main", unfit, program("python3", says("good"))) == (0, "good\n")


@pytest.mark.parametrize("code", [0, 1, 3, 130])
def test_the_exit_code_is_pythons(program: Program, code: int) -> None:
    """Whatever Python ends with is what the step ends with."""
    assert launch("main", program("python3", f"exit {code}"))[0] == code


def test_death_by_a_signal_is_a_failure_of_main(program: Program) -> None:
    """A Python that is killed never looks like success."""
    code, output = launch("main", program("python3", "kill -9 $$"))

    assert code == 1
    assert output.startswith("::error::Python ended before it was done")


@pytest.mark.parametrize("end", ["kill -9 $$", "exit 1", "exit 3"])
def test_a_python_that_ends_badly_in_post_is_one_warning(program: Program, end: str) -> None:
    """Post never fails the job, but never looks like success either."""
    code, output = launch("post", program("python3", end))

    assert code == 0
    assert output.startswith("::warning::")
    assert output.count("\n") == 1


def test_python_is_started_isolated(program: Program) -> None:
    """No bytecode, no site-packages, no buffer; nothing of the job's PYTHON* but UTF-8."""
    folder = program(
        "python3", 'echo "$@"; /usr/bin/env | /bin/grep ^PYTHON; read line || echo eof'
    )
    job = {"PYTHONPATH": "/evil", "PYTHONHOME": "/evil", "PYTHONUTF8": "0"}

    _, output = launch("main", folder, environment=job)

    assert output.splitlines() == [
        f"-B -s -S -u -Wignore {ROOT / 'main.py'}",
        "PYTHONUTF8=1",
        "eof",
    ]


@on_github
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_python_and_its_end_is_waited_for(
    fake_api: Play, make_runner: MakeRunner, number: signal.Signals
) -> None:
    """A signal to Node alone ends Python in good order, and only then Node, with 130."""
    api = fake_api("slow-login")
    runner = make_runner(api)

    running = runner.begin("main")
    wait_for(lambda: len(api.requests) > 1)
    running.signal(number)
    main = running.wait()
    runner.post()

    assert main.exit_code == 130
    assert "Cancelled" in main.log.shown[-1]


@on_github
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_post_finishes_whatever_signal_it_gets(
    fake_api: Play, make_runner: MakeRunner, number: signal.Signals
) -> None:
    """A signal while post is at work changes nothing: it logs out and ends with 0."""
    api = fake_api("slow-login")
    runner = make_runner(api, timeout="1")
    runner.main()

    before = len(api.requests)
    running = runner.begin("post")
    wait_for(lambda: len(api.requests) > before)
    running.signal(number)
    post = running.wait()

    assert post.exit_code == 0
    assert "logout" in api.calls()


def test_it_is_small_and_has_no_package() -> None:
    """The launcher is under 100 lines in all, and needs nothing but Node's own modules."""
    texts = [path.read_text("utf-8") for path in sorted(LAUNCHER.iterdir())]
    lines = [line for text in texts for line in text.splitlines()]
    required = [line.split("require(")[1] for line in lines if "require(" in line]

    assert len(lines) < 100
    assert all(name.startswith(('"node:', '"./launch.cjs"')) for name in required)


def test_the_tests_run_on_a_python_that_the_action_takes() -> None:
    """The version gate of the action and that of the project are one."""
    assert sys.version_info >= (3, 10)
