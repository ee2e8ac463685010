"""S23: signing in at the desk: nobody is told who works here, guessing is slow, and a second factor is asked for."""

from __future__ import annotations

import re
import time
from base64 import b32decode
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from config import settings as shipped
from digest.models import AuditEntry
from subscriptions.limits import limiter
from subscriptions.models import Budget
from tests import make

pytestmark = pytest.mark.django_db
PASSWORD = "a long and good password"


@pytest.fixture
def curator_user(staff):
    user = staff("curator")
    user.set_password(PASSWORD)
    user.save()
    return user


def attempt(name="curator", password=PASSWORD, client=None, **more):
    return (client or Client()).post("/desk/sign-in/", {"username": name, "password": password, **more})


def _shown(page):
    """The page without its form token, which is new each time."""
    return re.sub(r'csrfmiddlewaretoken" value="[^"]+"', "", page.content.decode())


def code_of(device, ahead=0):
    totp = TOTP(device.bin_key, device.step, device.t0, device.digits, device.drift)
    totp.time = time.time() + ahead * device.step
    return f"{totp.token():06d}"


def test_the_right_words_let_in_and_are_written_down(curator_user):
    answer = attempt()
    assert (answer.status_code, answer.url) == (302, "/desk/")
    assert AuditEntry.objects.get().verb == "sign in"


def test_s23_a_wrong_name_and_a_wrong_password_look_the_same(curator_user):
    one, two = attempt("nobody", "x"), attempt("curator", "x")
    assert one.status_code == two.status_code == 400
    shown = [_shown(page).replace(name, "N") for page, name in ((one, "nobody"), (two, "curator"))]
    assert shown[0] == shown[1]


def test_s23_guessing_is_stopped_even_with_the_right_password(curator_user):
    for _ in range(5):
        assert attempt(password="wrong").status_code == 400
    assert attempt().status_code == 429
    assert attempt("CURATOR ").status_code == 429


def test_s23_a_name_that_does_not_exist_is_stopped_alike():
    codes = [attempt("nobody", "wrong").status_code for _ in range(6)]
    assert codes == [400] * 5 + [429]


def test_s23_the_throttle_lets_go_with_time(curator_user):
    with time_machine.travel(make.NOW, tick=False) as clock:
        for _ in range(5):
            attempt(password="wrong")
        assert attempt().status_code == 429
        clock.shift(timedelta(minutes=15))
        assert attempt().status_code == 302


@pytest.mark.thorough
def test_s23_many_names_from_one_network_are_stopped(curator_user):
    for n in range(30):
        attempt(f"name{n}", "wrong")
    assert attempt().status_code == 429
    far = Client(REMOTE_ADDR="198.51.100.7")
    assert attempt(client=far).status_code == 302


def test_the_right_password_forgives_the_name(curator_user):
    for _ in range(4):
        attempt(password="wrong")
    attempt()
    for _ in range(4):
        assert attempt(password="wrong").status_code == 400


def test_no_name_is_kept_in_the_budgets(curator_user):
    attempt("somebody@example.org", "wrong", client=Client(REMOTE_ADDR="192.0.2.7"))
    kept = " ".join(row.key for row in Budget.objects.all())
    assert "signin:" in kept
    assert not re.search(r"somebody|192\.0", kept)


def strangers(times, name="curator", password="wrong"):
    """Tries at a name, each few from a network of its own."""
    return [attempt(name, password, client=Client(REMOTE_ADDR=f"10.{n // 4}.0.7")) for n in range(times)]


def test_s23_strangers_who_fail_do_not_shut_the_person_out(curator_user):
    strangers(40)
    assert attempt(client=Client(REMOTE_ADDR="203.0.113.7")).status_code == 302


def test_s23_one_name_is_not_guessed_at_from_everywhere(curator_user):
    codes = {answer.status_code for answer in strangers(50)}
    assert codes == {400}
    far = Client(REMOTE_ADDR="203.0.113.7")
    assert [attempt(password="wrong", client=far).status_code, attempt(client=far).status_code] == [429, 429]


def test_s23_a_name_that_does_not_exist_is_closed_alike():
    strangers(50, name="nobody")
    assert attempt("nobody", "wrong", client=Client(REMOTE_ADDR="203.0.113.7")).status_code == 429


def test_s23_a_besieged_person_comes_in_by_a_browser_that_is_known(curator_user):
    client = Client(REMOTE_ADDR="203.0.113.7")
    attempt(client=client)
    client.post("/desk/sign-out/")
    strangers(60)
    client.defaults["REMOTE_ADDR"] = "10.1.0.7"  # whose other visitors are to wait
    assert attempt(password="wrong", client=client).status_code == 400
    assert attempt(client=client).status_code == 302


def test_s23_a_besieged_person_comes_in_by_their_second_factor(curator_user):
    device = TOTPDevice.objects.create(user=curator_user, confirmed=True)
    strangers(60)
    client = Client(REMOTE_ADDR="203.0.113.7")
    assert attempt(client=client).url == "/desk/second/"
    assert client.post("/desk/second/", {"code": code_of(device)}).url == "/desk/"


def test_s23_a_known_browser_is_known_for_one_name_and_not_for_ever_guessing(curator_user, staff):
    client = Client(REMOTE_ADDR="203.0.113.7")
    attempt(client=client)
    client.post("/desk/sign-out/")
    assert [attempt(password="wrong", client=client).status_code for _ in range(6)] == [400] * 5 + [429]
    assert attempt(client=Client(REMOTE_ADDR="203.0.113.7")).status_code == 302
    strangers(50, name="another")
    assert attempt("another", "wrong", client=client).status_code == 429


@pytest.mark.parametrize("value", ["", "x", "x:y:z", "\u00e9", "a" * 5000])
def test_s23_a_forged_cookie_makes_no_browser_known(value, curator_user):
    strangers(50)
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.cookies["desk-browser"] = value
    assert attempt(client=client).status_code == 429


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/desk/topics/", "/desk/topics/"),
        ("https://evil.example/", "/desk/"),
        ("//evil.example/", "/desk/"),
        ("/\\evil.example", "/desk/"),
        ("/\t/evil.example", "/desk/"),
        ("///evil.example", "/desk/"),
        ("http:///evil.example", "/desk/"),
        ("desk/", "/desk/"),
        ("javascript:alert(1)", "/desk/"),
        ("", "/desk/"),
    ],
)
def test_s19_signing_in_leads_nowhere_else(wanted, goes, curator_user):
    assert attempt(next=wanted).url == goes


def test_s23_a_sign_in_lasts_a_working_day_and_a_new_password_ends_it(curator_user):
    with time_machine.travel(make.NOW, tick=False) as clock:
        client = Client()
        attempt(client=client)
        clock.shift(timedelta(hours=11))
        assert client.get("/desk/").status_code == 200
        clock.shift(timedelta(hours=2))
        assert client.get("/desk/").status_code == 302
        attempt(client=client)
        curator_user.set_password("another long password")
        curator_user.save()
        assert client.get("/desk/").status_code == 302


def test_signing_out_ends_it(curator_user):
    client = Client()
    attempt(client=client)
    assert client.get("/desk/").status_code == 200
    assert client.get("/desk/sign-out/").status_code == 405
    client.post("/desk/sign-out/")
    assert client.get("/desk/").status_code == 302


@pytest.mark.parametrize("path", ["/desk/sign-in/", "/desk/second/", "/desk/sign-out/"])
@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_s24_the_way_in_takes_no_other_method(path, method, signed_in):
    assert signed_in("viewer").generic(method, path).status_code == 405


# -- the second factor ------------------------------------------------------------------------------


def secret_of(page):
    """A device with the secret that the page shows, as an app would read it."""
    assert b"data:image/svg+xml" in page.content
    spelt = re.search(r"type in <code>([A-Z2-7 ]+)</code>", page.content.decode())[1].replace(" ", "")
    return TOTPDevice(key=b32decode(spelt).hex())


def set_up(client):
    device = secret_of(client.get("/desk/second/"))
    return device, client.post("/desk/second/", {"code": code_of(device)})


def test_s23_on_a_public_site_nothing_opens_without_a_second_factor(signed_in, settings):
    settings.PUBLIC = True
    client = signed_in("admin")
    assert client.get("/desk/").url == "/desk/second/"
    _, done = set_up(client)
    assert done.status_code == 200
    assert done.content.count(b"<code>") == 8
    assert client.get("/desk/").status_code == 200


def test_s23_the_stock_admin_asks_for_it_too(client, django_user_model, settings):
    settings.PUBLIC = True
    client.force_login(django_user_model.objects.create_superuser("root"))
    assert "login" in client.get("/admin/digest/paper/").url
    assert client.get("/admin/login/").url == "/desk/second/"


def test_the_stock_admin_has_no_door_of_its_own(client):
    assert client.get("/admin/login/").url.startswith("/desk/sign-in/")


def test_s23_whoever_has_one_is_asked_anywhere(curator_user):
    device = TOTPDevice.objects.create(user=curator_user, confirmed=True)
    client = Client()
    assert attempt(client=client).url == "/desk/second/"
    assert client.get("/desk/").url == "/desk/second/"
    assert client.post("/desk/second/", {"code": "000000"}).status_code == 400
    device.refresh_from_db()
    device.throttle_reset()
    assert client.post("/desk/second/", {"code": code_of(device)}).url == "/desk/"
    assert client.get("/desk/").status_code == 200


def test_s23_a_code_works_once(curator_user):
    device = TOTPDevice.objects.create(user=curator_user, confirmed=True)
    code = code_of(device)
    codes = []
    for _ in range(2):
        client = Client()
        client.force_login(curator_user)
        codes.append(client.post("/desk/second/", {"code": code}).status_code)
    assert codes == [302, 400]


def test_s23_a_recovery_code_works_once(signed_in, settings, staff):
    settings.PUBLIC = True
    client = signed_in("curator")
    _, done = set_up(client)
    code = done.content.split(b"<code>")[1].split(b"</code>")[0].decode()
    codes = []
    for _ in range(2):
        other = Client()
        other.force_login(staff("curator"))
        codes.append(other.post("/desk/second/", {"code": code}).status_code)
    assert codes == [302, 400]


def test_s23_guessing_codes_is_stopped(curator_user):
    TOTPDevice.objects.create(user=curator_user, confirmed=True)
    client = Client()
    client.force_login(curator_user)
    assert [client.post("/desk/second/", {"code": "1"}).status_code for _ in range(6)] == [400] * 5 + [429]


def test_a_wrong_code_does_not_set_it_up(signed_in, settings):
    settings.PUBLIC = True
    client = signed_in("curator")
    client.get("/desk/second/")
    assert client.post("/desk/second/", {"code": "nonsense"}).status_code == 400
    assert not TOTPDevice.objects.exists()


def test_s23_who_knows_only_the_password_cannot_read_the_secret_that_will_count(signed_in, settings):
    settings.PUBLIC = True
    thief, owner = signed_in("curator"), signed_in("curator")
    read = secret_of(thief.get("/desk/second/"))
    kept, done = set_up(owner)
    assert done.status_code == 200
    assert TOTPDevice.objects.get().key == kept.key != read.key
    answer = thief.post("/desk/second/", {"code": code_of(read)})
    assert answer.status_code == 400
    assert thief.get("/desk/").url == "/desk/second/"


def test_s23_the_code_that_set_it_up_opens_nothing_more(signed_in, settings):
    settings.PUBLIC = True
    device, _ = set_up(signed_in("curator"))
    assert signed_in("curator").post("/desk/second/", {"code": code_of(device)}).status_code == 400


def test_s23_a_password_buys_no_new_guesses_at_the_code(curator_user):
    """Signing in forgives a name its failures, but not before the code was right too."""
    TOTPDevice.objects.create(user=curator_user, confirmed=True)
    codes = []
    for n in range(8):
        client = Client(REMOTE_ADDR=f"198.51.100.{n}")
        attempt(client=client)
        codes.append(client.post("/desk/second/", {"code": "1"}).status_code)
    assert codes == [400] * 5 + [302] * 3  # the last three were not even signed in


def test_s23_each_step_of_signing_in_makes_a_new_session(curator_user):
    device = TOTPDevice.objects.create(user=curator_user, confirmed=True)
    client = Client()
    client.cookies["sessionid"] = planted = "a" * 32
    attempt(client=client)
    after_password = client.cookies["sessionid"].value
    client.post("/desk/second/", {"code": code_of(device)})
    after_code = client.cookies["sessionid"].value
    assert len({planted, after_password, after_code}) == 3
    for stale in (planted, after_password):
        other = Client()
        other.cookies["sessionid"] = stale
        assert "/desk/sign-in/" in other.get("/desk/").url


def test_s23_a_cookie_kept_from_before_signing_out_opens_nothing(curator_user):
    client, copy = Client(), Client()
    attempt(client=client)
    copy.cookies["sessionid"] = client.cookies["sessionid"].value
    assert copy.get("/desk/").status_code == 200
    client.post("/desk/sign-out/")
    assert copy.get("/desk/").status_code == 302


def test_s23_a_new_password_ends_every_session_of_the_person(curator_user):
    here, there = Client(), Client()
    for client in (here, there):
        attempt(client=client)
    curator_user.set_password("another long password")
    curator_user.save()
    assert [client.get("/desk/").status_code for client in (here, there)] == [302, 302]


def test_s23_the_records_show_nobody_the_secrets_of_others(client, curator_user, django_user_model):
    device = TOTPDevice.objects.create(user=curator_user, confirmed=True)
    recovery = StaticDevice.objects.create(user=curator_user, name="recovery")
    recovery.token_set.create(token="abcdefgh")
    client.force_login(django_user_model.objects.create_superuser("root"))
    for page in (
        f"otp_totp/totpdevice/{device.pk}/change/",
        "otp_totp/totpdevice/",
        f"otp_static/staticdevice/{recovery.pk}/change/",
    ):
        shown = client.get(f"/admin/{page}")
        assert shown.status_code == 200
        assert not re.search(f"{device.key}|qrcode|abcdefgh", shown.content.decode())


@pytest.mark.parametrize("path", ["/desk/sign-in/", "/desk/second/", "/desk/sign-out/"])
def test_s18_another_sites_form_neither_signs_in_nor_out(path, curator_user):
    client = Client(enforce_csrf_checks=True)
    client.force_login(curator_user)
    assert client.post(path, {"username": "curator", "password": PASSWORD, "code": "1"}).status_code == 403
    assert client.get("/desk/").status_code == 200


def test_s23_new_passwords_are_kept_with_argon2_and_are_long():
    assert shipped.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    lengths = [one["OPTIONS"]["min_length"] for one in shipped.AUTH_PASSWORD_VALIDATORS if "OPTIONS" in one]
    assert min(lengths) >= 12


def lines():
    return list(AuditEntry.objects.order_by("id").values_list("verb", "subject", "actor"))


def test_a_failed_sign_in_is_a_line_without_the_password_or_a_name_nobody_has(curator_user):
    attempt("curator", "my wrong password")
    attempt("hunter2 is my password", "x")
    assert lines() == [
        ("sign in: failed", "person curator", "nobody"),
        ("sign in: failed", "person hu…", "nobody"),
    ]
    assert "wrong password" not in str(list(AuditEntry.objects.values()))


def test_who_has_to_wait_is_one_line_and_not_one_each_time(curator_user):
    for _ in range(12):
        attempt(password="wrong")
    verbs = [verb for verb, _, _ in lines()]
    assert verbs == ["sign in: failed"] * 5 + ["sign in: refused"]


@pytest.mark.thorough
def test_s23_an_attack_from_everywhere_does_not_fill_the_log(curator_user, monkeypatch):
    monkeypatch.setitem(limiter.RULES, "signin-lines", (limiter.Rule(7, limiter.HOUR),))
    with time_machine.travel(make.NOW, tick=False) as clock:
        for n in range(20):
            attempt(f"name{n}", "x", client=Client(REMOTE_ADDR=f"198.51.{n}.7"))
        assert len(lines()) == 7
        clock.shift(limiter.HOUR)
        attempt("one more", "x", client=Client(REMOTE_ADDR="203.0.113.7"))
        assert len(lines()) == 8


NEW = "several new words together"


def changing(client, old=PASSWORD, one=NEW, two=NEW):
    return client.post("/desk/password/", {"old_password": old, "new_password1": one, "new_password2": two})


def test_a_person_changes_their_own_password_and_stays_signed_in_here_alone(curator_user):
    here, elsewhere = Client(), Client()
    for client in (here, elsewhere):
        assert attempt(client=client).status_code == 302
    assert changing(here).status_code == 302
    assert here.get("/desk/").status_code == 200
    assert elsewhere.get("/desk/").status_code == 302
    assert (attempt().status_code, attempt(password=NEW).status_code) == (400, 302)
    assert AuditEntry.objects.filter(verb="change password", subject="person curator").count() == 1


@pytest.mark.parametrize("wrong", [{"old": "x"}, {"one": "short", "two": "short"}, {"two": "another of those words"}])
def test_a_password_is_changed_only_by_who_knows_it_to_a_good_one_typed_twice(wrong, curator_user):
    client = Client()
    attempt(client=client)
    answer = changing(client, **wrong)
    assert answer.status_code == 400
    assert 'role="alert"' in answer.content.decode()
    assert attempt().status_code == 302


def test_s23_guesses_at_the_old_password_are_stopped(curator_user):
    client = Client()
    attempt(client=client)
    codes = [changing(client, old="wrong").status_code for _ in range(6)]
    assert codes == [400] * 5 + [429]
    assert changing(client).status_code == 429


def test_the_foot_of_a_page_leads_to_what_the_person_may(curator_user):
    client = Client()
    attempt(client=client)
    page = client.get("/desk/topics/").content.decode()
    assert "/desk/password/" in page
    assert "/desk/second/" in page
    assert 'href="/admin/"' not in page
    type(curator_user).objects.update(is_staff=True)
    assert 'href="/admin/"' in client.get("/desk/topics/").content.decode()
