"""Where the service stands: status, doctor and config check; and that looking changes nothing."""

from tests.process.office import FIRST, READER, SECOND, Office


def test_the_status_says_what_is_verified_and_what_waits(office: Office) -> None:
    office.run("check")
    (status,) = office.run("status", "--json").lines
    assert (status["watched"], status["verified"], status["settled"]) == (1, 1, True)
    assert status["data_timestamp"] == "2026-03-02T09:00:04"
    assert status["mails"]["sent"] == 1
    assert status["worker"] is None
    assert status["incidents"] == []
    assert "Verified against it: 1 of 1 watched trial\n" in office.run("status").out


def test_the_doctor_has_a_finding_for_each_part(office: Office) -> None:
    findings = office.run("doctor", "--json").lines
    assert {finding["kind"] for finding in findings} == {"finding"}
    subjects = [finding["subject"] for finding in findings]
    assert {"settings", "python", "database", "disk", "registry", "mail", "watches"} <= set(subjects)
    assert "API 2.0.5, data of 2026-03-02" in office.run("doctor").out


def test_the_doctor_finds_a_broken_database_and_says_where(office: Office) -> None:
    (office.folder / "broken").write_bytes(b"this is no database" * 100)
    office.settle(database="broken")
    ended = office.run("doctor", "--json")
    assert ended.code == 1
    (finding,) = ended.lines
    assert (finding["subject"], finding["verdict"]) == ("database", "bad")
    assert "broken" in finding["words"]


def test_a_database_that_cannot_be_opened_is_named_with_what_would_be_right(office: Office) -> None:
    (office.folder / "folder").mkdir()
    office.settle(database="folder")
    ended = office.run("status")
    assert ended.code == 1
    assert f"{office.folder}/folder" in ended.err
    assert "let the user that runs this write" in ended.err


def test_without_a_mail_server_the_service_and_every_command_that_mails_say_where_mails_go(office: Office) -> None:
    words = f"mails are written to {office.folder / 'state' / 'mail'}"
    for arguments in (["check"], ["status"], ["test-mail", READER], ["doctor"]):
        assert words in office.run(*arguments).out
    office.start().logged(words)


# --- the settings -----------------------------------------------------------------------------------------------------


def test_settings_that_are_valid_are_summed_up(office: Office) -> None:
    (line,) = office.run("config", "check", "--json").lines
    assert (line["valid"], line["watchlists"], line["trials"]) == (True, 1, 1)
    assert "valid" in office.run("config", "check").out


def test_every_problem_of_the_settings_is_told_at_once_by_every_command(office: Office) -> None:
    keys = ("operator", "registry.chek_every", "mail.deliver_every")
    office.settings.write_text(
        'operator = "nobody"\n[registry]\nchek_every = "1h"\n[mail]\ndeliver_every = "soon"\n', encoding="utf-8"
    )
    for arguments in (["config", "check"], ["status"], ["check"], ["doctor"], ["watch", "list"]):
        ended = office.run(*arguments)
        assert (arguments, ended.code, ended.out) == (arguments, 2, "")
        for key in keys:
            assert f"trialwatch: {key}" in ended.err

    ended = office.run("config", "check", "--json")
    assert ended.code == 2
    (line,) = ended.lines
    assert (line["settings"], line["valid"]) == ("trialwatch.toml", False)
    for key in keys:
        assert any(problem.startswith(key) for problem in line["problems"])


# --- looking ----------------------------------------------------------------------------------------------------------


def test_a_new_user_sees_the_declared_lists_at_once(office: Office) -> None:
    assert office.run("status", "--json").lines[0]["watched"] == 1


def test_looking_does_not_take_over_an_edited_settings_file(office: Office) -> None:
    office.run("check")
    office.settle(trials=[SECOND])
    for looking in (
        ["status"],
        ["show", FIRST],
        ["history", FIRST],
        ["diff", FIRST, "2026-03-02"],
        ["watch", "list"],
        ["watch", "export"],
        ["doctor"],
        ["test-mail", READER],
    ):
        assert (looking, office.run(*looking).code) == (looking, 0)
        assert (looking, office.lists()) == (looking, {"Ours": [FIRST]})
    office.run("check")
    assert office.lists() == {"Ours": [SECOND]}
