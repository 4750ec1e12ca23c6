"""The web application: all routes, behind one error handler."""

from __future__ import annotations

from aiohttp import web

from responder.web import (
    api,
    api_page,
    approvals,
    attachments,
    audit,
    audit_log,
    automation,
    calendars,
    drills,
    events,
    explain,
    feedback,
    health,
    health_checks,
    heartbeats,
    inventory,
    knowledge,
    knowledge_pages,
    mails,
    maintenance,
    me,
    noise,
    now,
    oidc,
    on_call,
    on_call_acts,
    openapi,
    pages,
    parts,
    people,
    policy_pages,
    reporter,
    reporters,
    review_page,
    reviews,
    rotas,
    runbook_pages,
    runbooks,
    runs,
    sign_in,
    statistics,
    switches,
    ticket_list,
    ticket_page,
    users,
    vitals,
    ways_back,
)
from responder.web.console import problems_as_pages
from responder.web.context import CONTEXT, Context
from responder.web.metrics import metrics
from responder.web.odd_forms import refuse_odd_forms
from responder.web.problems import errors_as_problems, no_such_address, security_headers
from responder.web.readers import keep_language
from responder.web.webhooks import alertmanager


def build(context: Context) -> web.Application:
    """The application for a running service."""
    limit = context.desk.configuration.settings.intake.max_body
    middlewares = [
        events.remember_position, security_headers, keep_language,
        problems_as_pages, errors_as_problems, no_such_address, refuse_odd_forms,
    ]  # fmt: skip
    application = web.Application(middlewares=middlewares, client_max_size=limit)
    application[CONTEXT] = context
    events.add_to(application)
    heartbeats.add_to(application)
    feedback.add_to(application)
    oidc.add_to(application)
    runbook_pages.add_to(application)
    policy_pages.add_to(application)
    application.add_routes(
        [
            web.post("/webhooks/alertmanager", alertmanager),
            web.post("/webhooks/alertmanager/{source}", alertmanager),
            web.get("/metrics", metrics),
            *sign_in.routes(),
            *health.routes(),
            *events.routes(),
            *audit.routes(),
            *audit_log.routes(),
            *vitals.routes(),
            *knowledge_pages.routes(),
            *on_call.routes(),
            *on_call_acts.routes(),
            *approvals.routes(),
            *reviews.routes(),
            *review_page.routes(),
            *rotas.routes(),
            *calendars.routes(),
            *parts.routes(),
            *people.routes(),
            *users.routes(),
            *me.routes(),
            *drills.routes(),
            *health_checks.routes(),
            *knowledge.routes(),
            *reporters.routes(),
            *mails.routes(),
            *reporter.routes(),
            # After those who have more to say of a ticket than a verb.
            *api.routes(),
            *attachments.routes(),
            *runbooks.routes(),
            *runs.routes(),
            *inventory.routes(),
            *switches.routes(),
            *maintenance.routes(),
            *explain.routes(),
            *noise.routes(),
            *statistics.routes(),
            *now.routes(),
            *automation.routes(),
            *ticket_list.routes(),
            *ticket_page.routes(),
            *pages.routes(),
        ]
    )
    openapi.add_to(application)
    api_page.add_to(application)
    ways_back.add_to(application)
    return application
