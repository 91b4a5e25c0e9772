"""The administrator's templates decide what a mail looks like, never whether it is sent."""

from pathlib import Path

import pytest

from tests.flow.world import OPERATOR, READER, TRIAL, World, words

BROKEN = {
    "not closed": "{% for block in blocks %}",
    "of an unknown name": "{{ nobody_knows_this }}",
    "of an unknown filter": "{{ subject | shout }}",
    "that divides by nothing": "{{ 1 // 0 }}",
    "that adds a number to a text": "{{ 'a' + 1 }}",
    "that asks a list for a key": "{{ blocks['no'].title.nothing }}",
    "that breaks out": "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "that includes itself": "{% include 'mail/digest.txt' %}",
    "that never stops counting": "{% for i in range(10 ** 9) %}{{ i }}{% endfor %}",
    "that includes what is not there": "{% include 'secrets.txt' %}",
    "that makes a text for which there is no room": "{{ 'a' * (10 ** 11) }}",
    "that makes a list for which there is no room": "{{ ([1] * 10 ** 11) | length }}",
    "that counts to the sky": "{{ 9 ** (9 ** 9) }}",
    "that multiplies to the sky": (
        "{% set n = namespace(x=9) %}{% for i in range(60) %}{% set n.x = n.x * n.x %}{% endfor %}{{ n.x }}"
    ),
    "of loops within loops": "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
    "of loops within loops over a list": (
        "{% set all = range(99999) | list %}{% for i in all %}{% for j in all %}{% endfor %}{% endfor %}"
    ),
    "of a loop that loops over itself": (
        "{% for i in [1] recursive %}{{ loop([1, 1]) if loop.depth < 60 }}{% endfor %}"
    ),
    "that calls itself twice": (
        "{% macro twice(n) %}{% if n %}{{ twice(n - 1) }}{{ twice(n - 1) }}{% endif %}{% endmacro %}{{ twice(60) }}"
    ),
    "that writes more than a mail can hold": "{% for i in range(9999) %}{{ 'x' * 99999 }}{% endfor %}",
    "that writes nothing": "",
    "that writes nothing to be seen": "{# a remark #}\n  {{ ' ' }}\n",
}


def give_template(world: World, name: str, text: str | bytes) -> None:
    """Let the administrator put a template into their folder, and start the service with it."""
    path = world.folder / "own" / "mail" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    world.restart(templates={"directory": str(world.folder / "own")})


def publish_and_walk(world: World, *, rounds: int = 3) -> None:
    world.registry.publish(TRIAL, status="SUSPENDED")
    for _ in range(rounds):
        world.round()
        world.later(minutes=30)


@pytest.mark.parametrize("template", BROKEN.values(), ids=BROKEN.keys())
def test_a_template_falls_back_to_the_built_in_one_and_the_operator_is_told_once(
    sqlite_world: World, template: str
) -> None:
    world = sqlite_world
    world.begin()
    give_template(world, "digest.txt", template)
    publish_and_walk(world)

    (mail,) = world.mail_server.to(READER)
    assert "Recruitment status: Recruiting → Suspended" in words(mail.text)
    (told,) = world.mail_server.to(OPERATOR)
    assert "Your template mail/digest.txt: " in words(told.text)
    assert "The built-in template is used instead." in words(told.text)


@pytest.mark.parametrize(
    ("name", "kinds_of_mail"),
    [("digest.subject.txt", 1), ("digest.txt", 1), ("digest.html", 1), ("base.txt", 2), ("base.html", 2)],
)
def test_any_part_may_be_broken(sqlite_world: World, name: str, kinds_of_mail: int) -> None:
    world = sqlite_world
    world.begin()
    give_template(world, name, b"\xff\xfe not UTF-8")
    publish_and_walk(world, rounds=5)
    assert len(world.mail_server.to(READER)) == 1
    assert len(world.mail_server.to(OPERATOR)) == kinds_of_mail


@pytest.mark.parametrize("name", ["digest.subject.txt", "digest.txt", "digest.html"])
def test_any_part_may_come_out_empty(sqlite_world: World, name: str) -> None:
    world = sqlite_world
    world.begin()
    give_template(world, name, "{# nothing #}")
    publish_and_walk(world)
    (mail,) = world.mail_server.to(READER)
    assert mail.subject == f"[{TRIAL}] Recruitment status: Recruiting → Suspended"
    assert "Suspended" in mail.text
    assert "Suspended" in mail.html
    (told,) = world.mail_server.to(OPERATOR)
    assert f"Your template mail/{name}: it comes out empty" in words(told.text)


def test_loops_that_a_mail_may_need_are_no_fault(sqlite_world: World) -> None:
    world = sqlite_world
    world.begin()
    text = (
        "{% macro line(n) %}{{ n }}.{% endmacro %}"
        "{% for i in range(100) if i % 2 %}{{ loop.index }}/{{ loop.length }}{% for j in range(100) %}{{ line(j) }}"
        "{% endfor %}{% else %}none{% endfor %}{{ '-' * 72 }}"
    )
    give_template(world, "digest.txt", text)
    publish_and_walk(world)
    (mail,) = world.mail_server.to(READER)
    assert "50/50" in mail.text
    assert world.mail_server.to(OPERATOR) == []


def test_a_broken_template_is_told_once_however_many_other_mails_are_sent(sqlite_world: World) -> None:
    world = sqlite_world
    world.begin()
    give_template(world, "digest.txt", "{{ nobody_knows_this }}")
    for number in range(3):
        publish_and_walk(world, rounds=1)  # with the broken one
        world.watch(TRIAL, f"NCT0000009{number}")
        world.registry.publish(f"NCT0000009{number}")  # a welcome, with the good one
        world.round()
        world.registry.publish(TRIAL, status="RECRUITING")
        world.round()
    assert len(world.mail_server.to(OPERATOR)) == 1


def test_a_template_that_was_mended_and_breaks_again_is_told_again(sqlite_world: World) -> None:
    world = sqlite_world
    world.begin()
    for template in ("{{ nobody_knows_this }}", "{{ summary }}", "{{ nobody_knows_that }}"):
        give_template(world, "digest.txt", template)
        publish_and_walk(world)
        world.registry.publish(TRIAL, status="RECRUITING")
        world.round()
    assert ["this" in mail.text for mail in world.mail_server.to(OPERATOR)] == [True, False]


def test_a_broken_template_of_mails_to_the_operator_is_told_to_the_operator_once(sqlite_world: World) -> None:
    world = sqlite_world
    world.begin()
    give_template(world, "operator.txt", "{{ nobody_knows_this }}")
    world.mail_server.refuse(READER)
    publish_and_walk(world, rounds=6)
    told = [words(mail.text) for mail in world.mail_server.to(OPERATOR)]
    assert len(told) == 2
    assert "was given up" in told[0]
    assert "Your template mail/operator.txt: " in told[1]


def test_a_template_of_one_s_own_replaces_the_one_of_its_name_only(sqlite_world: World) -> None:
    world = sqlite_world
    world.begin()
    give_template(world, "digest.subject.txt", "Ours: {{ subject }}")
    publish_and_walk(world)
    (mail,) = world.mail_server.to(READER)
    assert mail.subject == f"Ours: [{TRIAL}] Recruitment status: Recruiting → Suspended"
    assert "Source: ClinicalTrials.gov" in words(mail.text)
    assert world.mail_server.to(OPERATOR) == []


def test_a_template_of_one_s_own_escapes_what_a_record_holds(sqlite_world: World) -> None:
    world = sqlite_world
    world.begin()
    give_template(world, "digest.html", "<p>{% for block in blocks %}{{ block.title }}{% endfor %}</p>")
    world.registry.publish(TRIAL, title="<script>evil()</script>\x1b\u202e")
    world.round()
    (mail,) = world.mail_server.to(READER)
    assert "&lt;script&gt;evil()&lt;/script&gt;" in mail.html
    assert "\x1b" not in mail.html
    assert "\u202e" not in mail.html


def test_a_folder_of_templates_that_is_gone_costs_no_mail(sqlite_world: World, tmp_path: Path) -> None:
    world = sqlite_world
    world.begin()
    give_template(world, "digest.subject.txt", "Ours: {{ subject }}")
    (tmp_path / "own" / "mail" / "digest.subject.txt").unlink()
    publish_and_walk(world)
    assert world.mail_server.subjects == [f"[{TRIAL}] Recruitment status: Recruiting → Suspended"]
