"""Reading reports: what the texts of a form or a mail say of its fields, by the words of every language we speak."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from responder.domain.dossier import Dossier
from responder.domain.feedback import LABELS, Question, sheet_by
from responder.domain.handling import missing_fields
from responder.domain.mail import Mail
from responder.domain.mail_fields import Recognised
from responder.domain.policy import Policy
from responder.domain.report_fields import spoken_name
from responder.domain.report_form import Form
from responder.domain.report_text import Reading, Vocabulary, Written, fields_in, letter_read, reading_of
from responder.domain.reporter import LANGUAGES
from responder.flows.texts.languages import offered, said


def read_in_form(policy: Policy, form: Form, now: datetime) -> Reading:
    """The form with what its texts say of the fields that were left empty."""
    return reading_of(form, policy, vocabulary_by(policy), now)


def read_in_mail(policy: Policy, form: Form, mail: Mail, now: datetime) -> Reading:
    """The form of a mail with what the mail's text says."""
    written = Written(
        text=mail.said,
        at=mail.sent_at or now,
        is_quoted=not mail.has_own_words,
        is_titled=mail.is_first,
    )
    return letter_read(form, written, policy, vocabulary_by(policy), now)


def read_in_answer(policy: Policy, written: Written, now: datetime) -> Recognised:
    """What an answer says of the fields."""
    return fields_in(written, policy, vocabulary_by(policy), now)


def vocabulary_by(policy: Policy) -> Vocabulary:
    """What the form of a policy calls its fields and offers as choices, in every language."""
    sheet = sheet_by(policy)
    asked = [one for one in (*sheet.wanted, *sheet.besides) if one.name not in _OWN]
    return Vocabulary(
        labels={said(one.label, language): one.name for one in asked for language in LANGUAGES},
        words={one.name: _words(one) for one in asked if one.understood},
    )


def label_of(name: str, language: str) -> str:
    """What the form calls a field."""
    return said(LABELS.get(name) or _MORE.get(name) or spoken_name(name).capitalize(), language)


_MORE = {
    "description": "Description",
    "phone": "Phone number",
    "contact_name": "Contact person",
    "urgency": "How urgent it is to you",
}
"""What is called something, and no question of the form by itself."""
_OWN = frozenset({"title", "kind"})


def _words(question: Question) -> dict[str, str]:
    return {offered(word, language).casefold(): word for word in question.understood for language in LANGUAGES}


# --- explained --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True, slots=True)
class Explained:
    """What would be known of a mail, and how; what the policy wants and it does not say."""

    found: Recognised
    missing: tuple[str, ...]


def explained(policy: Policy, mail: Mail, form: Form, now: datetime) -> Explained:
    """What a mail, of which this form was made, says of the fields that a policy's form has."""
    read = read_in_mail(policy, form, mail, now)
    return Explained(
        found=Recognised(found=read.form.all_fields, how=read.how),
        missing=missing_fields(policy, Dossier(fields=read.form.all_fields)),
    )
