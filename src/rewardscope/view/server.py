"""The server behind ``rewardscope view``: the runs, their pages, and all of their completions.

It answers this machine alone and only reads. A run is addressed by its number in the list that the
command was given, so that no address leads to another file. A name that somebody else's page made
point here is refused, since it is not in the ``Host`` header that we expect.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import urlencode

import jinja2
from markupsafe import Markup
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rewardscope.errors import RewardscopeError
from rewardscope.report.beside import render_beside
from rewardscope.report.loading import load_run
from rewardscope.report.page import FILES as REPORT_FILES
from rewardscope.report.page import Standing, content_policy, counted, render_page, write_unknown
from rewardscope.store import RunDirectory
from rewardscope.view.completions import Asked, draws_of
from rewardscope.view.following import fingerprint, standing_of

HOSTS = ("127.0.0.1", "localhost")
POLL_SECONDS = 2.0
"""How often a run is looked at while a browser follows it."""
KEEP_ALIVE = 15
"""Looks without news after which the browser is told that nobody has gone."""
FILES = Path(__file__).parent


class Views:
    """The runs, and the pages of them that were made last."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self.runs = [RunDirectory(root) for root in roots]
        self._pages: dict[int, tuple[object, str]] = {}
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(FILES),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            finalize=write_unknown,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(counted=counted, urlencode=urlencode)

    def run_of(self, request: Request) -> tuple[int, RunDirectory]:
        """The run that the address names.

        Raises:
            HTTPException: 404 if there is none of this number.
        """
        number = request.path_params["number"]
        if not 0 <= number < len(self.runs):
            raise HTTPException(404, f"There are {counted(len(self.runs), 'run')}")
        return number, self.runs[number]

    def page(self, number: int) -> str:
        """The page of a run as it stands, with a script that follows it."""
        run = self.runs[number]
        now = fingerprint(run)
        if number in self._pages and self._pages[number][0] == now:
            return self._pages[number][1]
        standing = standing_of(run)
        page = render_page(load_run(run.root, judged=standing is None), standing, f"/run/{number}")
        self._pages[number] = (now, page)
        return page

    def listing(self) -> str:
        """The list of runs."""
        entries = [(number, run, *self._entry(run)) for number, run in enumerate(self.runs)]
        return self._drawn("runs.html.jinja", entries=entries)

    def _entry(self, run: RunDirectory) -> tuple[str, str, Standing | None]:
        """Its question, its headline or why it cannot be read, and how far it is."""
        try:
            loaded, standing = load_run(run.root), standing_of(run)
        except RewardscopeError as error:
            return "", str(error), None
        from rewardscope.report.answer.headline import headline

        told = "" if standing else headline(loaded.verdicts, loaded.arms).text
        return str(loaded.study.get("question") or ""), told, standing

    def completions(self, number: int, asked: Asked) -> str:
        """A page of the completions that somebody asked for."""
        found = draws_of(self.runs[number], asked)
        return self._drawn("completions.html.jinja", number=number, asked=asked, found=found)

    def _drawn(self, template: str, **values: object) -> str:
        style = Markup((REPORT_FILES / "page.css").read_text())
        policy = content_policy((), forms=True)
        return self._templates.get_template(template).render(style=style, policy=policy, **values)


def application(roots: Sequence[Path]) -> Starlette:
    """The server of these runs."""
    views = Views(roots)

    async def runs(_: Request) -> Response:
        return HTMLResponse(await run_in_threadpool(views.listing))

    async def page(request: Request) -> Response:
        number, _ = views.run_of(request)
        return HTMLResponse(await run_in_threadpool(views.page, number))

    async def completions(request: Request) -> Response:
        number, _ = views.run_of(request)
        asked = Asked.of(request.query_params)
        return HTMLResponse(await run_in_threadpool(views.completions, number, asked))

    async def beside(request: Request) -> Response:
        numbers = {int(n) for n in request.query_params.getlist("run") if n.isdecimal()}
        chosen = [views.runs[n] for n in sorted(numbers) if n < len(views.runs)]
        if len(chosen) < 2:
            raise HTTPException(400, "Choose two runs or more")
        loaded = await run_in_threadpool(lambda: [load_run(run.root) for run in chosen])
        links = [f"/run/{views.runs.index(run)}" for run in chosen]
        return HTMLResponse(await run_in_threadpool(render_beside, loaded, Path(), links))

    async def events(request: Request) -> Response:
        _, run = views.run_of(request)
        return StreamingResponse(news(request, run), media_type="text/event-stream")

    async def wrong(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 409
        text = error.detail if isinstance(error, HTTPException) else str(error)
        return PlainTextResponse(text, status)

    routes = [
        Route("/", runs),
        Route("/beside", beside),
        Route("/run/{number:int}", page),
        Route("/run/{number:int}/completions", completions),
        Route("/run/{number:int}/events", events),
    ]
    return Starlette(
        routes=routes,
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(HOSTS)),
            Middleware(Guarded),
        ],
        exception_handlers={HTTPException: wrong, RewardscopeError: wrong},
    )


class Guarded:
    """Headers that keep an answer to itself."""

    HEADERS = (
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"x-frame-options", b"DENY"),
        (b"cache-control", b"no-store"),
    )

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Sends the answer with the headers."""

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self.HEADERS]}
            await send(message)

        await self.app(scope, receive, guarded)


async def news(request: Request, run: RunDirectory) -> AsyncIterator[str]:
    """A line whenever files of the run have changed, until the browser goes away."""
    known, quiet = await run_in_threadpool(fingerprint, run), 0
    yield ": following\n\n"
    while not await request.is_disconnected():
        await asyncio.sleep(POLL_SECONDS)
        now = await run_in_threadpool(fingerprint, run)
        quiet += 1
        if now != known:
            known, quiet = now, 0
            yield "data: changed\n\n"
        elif quiet >= KEEP_ALIVE:
            quiet = 0
            yield ": still here\n\n"


def serve(roots: Sequence[Path], port: int) -> None:
    """Answers until it is stopped."""
    import uvicorn

    config = uvicorn.Config(
        application(roots), host=HOSTS[0], port=port, log_level="warning", access_log=False
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()
