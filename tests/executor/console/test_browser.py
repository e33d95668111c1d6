"""The console in a real browser, before a real executor and real stores."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.buckets import Bucket, pair, pairs
from tests.executor.console.visitor import Visitor
from tests.executor.replica import Replica

NASTY = "<script>alert('1')</script>\"&amp;\u202etxt\u05d0\n.zip"
SEEN = "<script>alert('1')</script>\"&amp;\\u202etxt\u05d0\\n.zip"


def ends(source: Bucket, destination: Bucket) -> tuple[str, str]:
    return f"here:{source.name}/", f"there:{destination.name}/"


def slow(executor: Replica, source: Bucket, destination: Bucket) -> str:
    """A sync that goes on until it is stopped."""
    source.fill({f"large/{number}.bin": bytes(2**20) for number in range(32)})
    configuration = {"bandwidth": "256K", "max_concurrent": 4}
    return executor.sync(*ends(source, destination), configuration=configuration)


def test_a_sync_is_started_once_its_plan_was_seen_and_is_watched_to_its_end(
    executor: Replica, source: Bucket, destination: Bucket, visitor: Visitor
) -> None:
    content = pairs(60) | {"large.bin": bytes(300_000), NASTY: b"any"}
    source.fill(content)
    page = visitor.page
    page.goto(executor.url)
    page.get_by_role("link", name="New sync").first.click()
    begin, end = ends(source, destination)
    page.get_by_label("From").fill(begin)
    page.get_by_label("To", exact=True).fill(end)
    page.get_by_text("How, and when").click()
    page.get_by_label("Bytes a second").fill("64K")
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("button", name="Start this sync")).to_be_enabled()
    expect(page.locator("#planned-state")).to_have_text("122 of 122 objects are to be copied.")
    page.get_by_text("The first decisions").click()
    expect(page.locator("#planned-rows tr")).to_have_count(122)
    expect(page.locator("#planned-rows").get_by_text("<script>alert('1')")).to_be_visible()
    visitor.picture("new")
    page.get_by_role("button", name="Start this sync").click()
    page.wait_for_url(re.compile("/console/operations/"))
    expect(page.locator("#live .state")).to_have_text("running")
    expect(page.locator("canvas")).to_have_count(2)
    expect(page.locator("#live .state")).to_have_text("completed")
    expect(page.locator("#told")).to_have_text("It is completed now.")
    visitor.picture("completed")
    assert destination.content() == content
    page.reload()
    expect(page.locator("canvas")).to_have_count(2)
    assert page.locator("#points tr").count() >= 2


def test_one_that_runs_is_seen_at_once_and_is_cancelled(
    executor: Replica, source: Bucket, destination: Bucket, visitor: Visitor
) -> None:
    page = visitor.page
    page.goto(executor.url)
    expect(page.get_by_text("Nothing runs.")).to_be_visible()
    operation = slow(executor, source, destination)
    # The page finds it by itself.
    expect(page.get_by_role("progressbar", name=operation)).to_be_visible()
    for number in range(5):
        begin, end = ends(source, destination)
        executor.sync(begin, f"{end}{number}/", configuration={"bandwidth": "128K"}, priority=-1)
    expect(page.get_by_text("waits for its turn").first).to_be_visible()
    bar = page.get_by_role("progressbar", name=operation)
    expect(bar).to_have_attribute("value", re.compile("[1-9]"))
    visitor.picture("overview")
    page.get_by_role("link", name=operation).first.click()
    expect(page.locator("canvas")).to_have_count(2)
    expect(
        page.get_by_text("4 in flight").or_(page.get_by_text("is still listing"))
    ).to_be_visible()
    visitor.picture("running")
    page.get_by_role("button", name="Cancel").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("for good")
    visitor.picture("cancelling")
    dialog.get_by_role("button", name="Leave it").click()
    expect(page.locator("#live .state")).to_have_text("running")
    page.get_by_role("button", name="Cancel").click()
    dialog.get_by_role("button", name="Cancel it").click()
    expect(page.locator("#live .state")).to_have_text("cancelled")
    assert executor.ended(operation)["state"] == "cancelled"
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)


def test_a_pair_in_quarantine_is_read_and_tried_again(
    executor: Replica, source: Bucket, destination: Bucket, visitor: Visitor
) -> None:
    refused = {**pair(NASTY, b"bytes"), NASTY: b"others"}
    source.fill(pairs(3) | refused | pair("daily/00009.zip", b"as published"))
    source.put("daily/00009.zip", b"as it came")
    operation = executor.sync(*ends(source, destination))
    executor.ended(operation)
    page = visitor.page
    page.goto(f"{executor.url}/console/operations/{operation}")
    expect(page.locator("#live .state")).to_have_text("quarantined")
    failures = page.locator("#failures")
    expect(failures).to_contain_text("digest-refused")
    expect(failures).to_contain_text("Ask the publisher")
    expect(failures.get_by_text(SEEN, exact=True)).to_be_visible()
    visitor.picture("quarantined")
    page.get_by_role("link", name="4 quarantined").click()
    expect(page.get_by_role("row")).to_have_count(5)
    expect(page.get_by_text(SEEN, exact=True)).to_be_visible()
    visitor.picture("objects")
    page.go_back()
    source.put("daily/00009.zip", b"as published")
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("link", name="2 quarantined")).to_be_visible()
    page.get_by_role("link", name="Report").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Copied 8 of 10 objects")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until something of that name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focus = page.evaluate(
            "() => { const e = document.activeElement;"
            " return (e.labels?.[0]?.textContent || e.textContent || '').trim(); }"
        )
        if focus == name:
            return
    raise AssertionError(f"no Tab leads to {name}")


def test_the_keyboard_is_enough(
    executor: Replica, source: Bucket, destination: Bucket, visitor: Visitor
) -> None:
    source.fill(pairs(2))
    page = visitor.page
    page.goto(executor.url)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    tab_to(page, "New sync")
    page.keyboard.press("Enter")
    page.wait_for_url("**/console/new")
    begin, end = ends(source, destination)
    tab_to(page, "From")
    page.keyboard.type(begin)
    tab_to(page, "To")
    page.keyboard.type(end)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The plan")).to_be_focused()
    expect(page.get_by_role("button", name="Start this sync")).to_be_enabled()
    tab_to(page, "Start this sync")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/console/operations/"))
    expect(page.locator("#live .state")).to_have_text("completed")


def test_what_is_wrong_with_a_form_is_said_where_it_is_wrong(
    executor: Replica, source: Bucket, destination: Bucket, visitor: Visitor
) -> None:
    page = visitor.page
    page.goto(f"{executor.url}/console/new?source=here:{source.name}/&destination=nowhere:x/")
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_role("alert")).to_contain_text("no store of this name is configured")
    page.get_by_label("To", exact=True).fill(f"there:{destination.name}/")
    page.get_by_text("How, and when").click()
    page.get_by_label("Part size, MiB").fill("1")
    page.get_by_text("How, and when").click()
    page.get_by_role("button", name="Show the plan").click()
    expect(page.get_by_label("Part size, MiB")).to_be_focused()
    expect(page.get_by_label("Part size, MiB")).to_have_attribute("aria-invalid", "true")
    visitor.picture("refused")
    assert visitor.heard() == 2


def test_stores_say_what_they_can_do_and_hold_and_components_how_they_are(
    executor: Replica, source: Bucket, destination: Bucket, visitor: Visitor
) -> None:
    source.fill(pairs(3))
    executor.ended(executor.sync(*ends(source, destination)))
    page = visitor.page
    page.goto(f"{executor.url}/console/stores")
    bucket = page.get_by_role("row", name=destination.name)
    expect(bucket.get_by_text("md5-etags")).to_be_visible()
    visitor.picture("stores")
    bucket.get_by_role("link").click()
    expect(page.locator(".figures li").first).to_have_text("6objects")
    visitor.picture("usage")
    page.get_by_role("link", name="Health").click()
    expect(page.get_by_role("row", name="database")).to_contain_text("healthy")
    visitor.picture("health")
