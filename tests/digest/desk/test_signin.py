"""S23: signing in at the desk: nobody is told who works here, guessing is slow, and a second factor is asked for."""

from __future__ import annotations

import re
import time
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_totp.models import TOTPDevice

from config import settings as shipped
from digest.desk import signin
from digest.desk.models import Act, SignInBudget
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
    assert Act.objects.get().verb == "sign in"


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
        clock.shift(signin.LEAK)
        assert attempt().status_code == 302


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


def test_no_name_is_kept_in_the_buckets(curator_user):
    attempt("somebody@example.org", "wrong")
    assert all("somebody" not in row.key and len(row.key) == 64 for row in SignInBudget.objects.all())


@pytest.mark.parametrize(
    ("before", "passed", "left"),
    [(5, timedelta(), 5), (5, signin.LEAK, 4), (1, timedelta(days=1), 0), (5, timedelta(days=-1), 5)],
)
def test_a_bucket_leaks(before, passed, left):
    assert signin.level(before, passed) == left


@pytest.mark.parametrize(
    ("wanted", "goes"),
    [
        ("/desk/topics/", "/desk/topics/"),
        ("https://evil.example/", "/desk/"),
        ("//evil.example/", "/desk/"),
        ("/\\evil.example", "/desk/"),
        ("javascript:alert(1)", "/desk/"),
        ("", "/desk/"),
    ],
)
def test_signing_in_leads_nowhere_else(wanted, goes, curator_user):
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


def set_up(client):
    page = client.get("/desk/second/")
    device = TOTPDevice.objects.get()
    assert b"data:image/svg+xml" in page.content
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
    assert not TOTPDevice.objects.get().confirmed


def test_s23_new_passwords_are_kept_with_argon2_and_are_long():
    assert shipped.PASSWORD_HASHERS[0].endswith("Argon2PasswordHasher")
    lengths = [one["OPTIONS"]["min_length"] for one in shipped.AUTH_PASSWORD_VALIDATORS if "OPTIONS" in one]
    assert min(lengths) >= 12
