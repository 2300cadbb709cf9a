"""A person starts the program in Rust and signs in with a browser."""

def test_it_signs_in_asks_refreshes_and_asks_again(rust_program, native_client, browser, grantor):
    person = grantor.person()
    program = rust_program(CLIENT_ID=native_client.id)
    browser.open(program.said("Open this address in your browser: "))
    browser.sign_in_and_allow(person)
    browser.find("answered")
    claims = program.said_in_json("The ID token says: ")
    assert claims["sub"] == person.id and claims["iss"] == grantor.issuer and claims["nonce"]
    for answer in (program.said_in_json("UserInfo says: "), program.said_in_json("UserInfo still says: ")):
        assert answer["sub"] == person.id
        assert answer["email"] == f"{person.username}@example.com"
    assert program.said("Refreshed: ")

    browser.open(program.said("To sign out at Grantor, too, open: "))
    if browser.has("logout-confirm"):
        browser.click("logout-confirm")
    browser.find("logout-done")
    assert program.end() == (0, "")


def test_it_says_that_somebody_said_no(rust_program, native_client, browser, grantor):
    program = rust_program(CLIENT_ID=native_client.id)
    browser.open(program.said("Open this address in your browser: "))
    browser.sign_in(grantor.person())
    browser.click("consent-deny")
    status, complaint = program.end()
    assert status == 1
    assert "not signed in: access_denied" in complaint


def test_it_registers_itself_with_a_token_and_then_signs_in(rust_program, browser, grantor):
    created = grantor.run("initial-access-token", "create", "--name", "Programs", "--uses", "1")
    token = created["initial_access_token"]
    program, person = rust_program(INITIAL_ACCESS_TOKEN=token), grantor.person()
    client = grantor.run("client", "show", program.said("Registered as "))
    assert client["client_name"] == "A program in Rust"
    assert client["application_type"] == "native"
    browser.open(program.said("Open this address in your browser: "))
    browser.sign_in_and_allow(person)
    assert program.said_in_json("UserInfo still says: ")["sub"] == person.id
    assert program.end() == (0, "")

    status, complaint = rust_program(INITIAL_ACCESS_TOKEN=token).end()
    assert status == 1
    assert "401" in complaint
