"""Handles the outcome of each request: an answer, a refusal, or an unknown outcome."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from singer_xero.api.errors import NotFound, OutcomeUnknown, Refused, TooLarge, XeroError
from singer_xero.errors import ConfigurationProblem, Stopped
from target_xero.lookups.lookups import Lookups
from target_xero.planning.operations import WriteOp
from target_xero.write_log.log import WriteLog
from target_xero.writing.answers import Outcome, imagined, outcomes_of, refusal_of
from target_xero.writing.dispatcher import Dispatcher, InFlight
from target_xero.writing.recovery import Recovery
from target_xero.writing.settlement import Settlement

#: Tries of a DELETE. It has no Idempotency-Key, so it is sent again only if the record is still in Xero.
_DELETE_TRIES = 3


@dataclass
class OutcomeHandler:
    """Handles the outcomes of a dispatcher's requests."""

    dispatcher: Dispatcher
    log: WriteLog
    lookups: Lookups
    settlement: Settlement
    recovery: Recovery
    logger: logging.Logger

    def __post_init__(self) -> None:
        self.dispatcher.on_answer = self.handle
        self.dispatcher.on_dry_run = self._imagine

    def _imagine(self, request: InFlight) -> None:
        """Settle the request of a dry run."""
        spec, ops = request.spec, request.ops
        self.dispatcher.queue(spec, self.settlement.settle(spec, ops, [imagined(spec, op) for op in ops]))

    def handle(self, request: InFlight) -> None:
        """Wait for the outcome of a request and settle its records; queues the operations that follow.

        Raises what `XeroClient.send` raised if the run can't go on.
        """
        spec, ops = request.spec, request.ops
        try:
            request.answer()
        except (Refused, NotFound) as error:
            self._refused(request, error)
            return
        except OutcomeUnknown:
            if ops[0].endpoint.method != "DELETE" or request.tries >= _DELETE_TRIES:
                raise
            following, left = self.recovery.settle_found(spec, ops, request.sent_at)
            if left:
                self.dispatcher.send_next(InFlight(spec, left, request.keys, request.tries + 1))
        except XeroError:
            # Any other error means that nothing was written, so that there is nothing to look up.
            self.log.settle(spec.name, unsent=[op.job.key for op in ops])
            raise
        else:
            following = self._answered(request)
        self.dispatcher.queue(spec, following)

    def _answered(self, request: InFlight) -> list[WriteOp]:
        answer = request.answer()
        envelope = answer.json() if answer.content else {}
        self.lookups.heard(envelope)
        outcomes = outcomes_of(request.spec, request.ops, answer, envelope)
        return self.settlement.settle(request.spec, request.ops, outcomes)

    def _refused(self, request: InFlight, error: Refused | NotFound) -> None:
        """Find the records that made Xero refuse a whole request."""
        spec, ops = request.spec, request.ops
        if len(ops) == 1:
            is_gone = isinstance(error, NotFound) and ops[0].action == "remove"
            outcome: Outcome = {} if is_gone else refusal_of(error)
            self.dispatcher.queue(spec, self.settlement.settle(spec, ops, [outcome]))
            return
        following: list[WriteOp] = []
        if _may_be_written(error):
            # The valid records may be saved although Xero refused the request (Xero-Net#354).
            requests = [request, *self._doubtful()]
            every = [op for one in requests for op in one.ops]
            following, left = self.recovery.settle_found(spec, every, min(one.sent_at for one in requests))
            parts = [[op] for op in left]
        else:
            # Xero refuses the whole batch for one unknown id.
            middle = len(ops) // 2
            parts = [ops[:middle], ops[middle:]]
        self.log.settle(spec.name, unsent=[op.job.key for part in parts for op in part])
        self.dispatcher.send_next(*(InFlight(spec, part, request.keys) for part in parts))
        self.dispatcher.queue(spec, following)

    def _doubtful(self) -> list[InFlight]:
        """Wait for all requests. Settles those with a clear outcome, and returns those that may be written in part.

        Records of a doubtful request are found by their content, which is only safe once all others are settled.
        """
        doubtful = []
        in_flight = self.dispatcher.in_flight
        while in_flight:
            self.dispatcher.save_before_wait()
            request = in_flight.popleft()
            if len(request.ops) > 1 and _may_be_written(request.error()):
                doubtful.append(request)
            else:
                self.handle(request)
        return doubtful

    def settle_rest(self) -> None:
        """Settle the requests in flight with a clear outcome, when a run ends early. The next run looks up the rest."""
        self.dispatcher.due.clear()
        in_flight = self.dispatcher.in_flight
        while in_flight:
            with self._only_warned(in_flight[0]):
                self.dispatcher.save_before_wait()
            request = in_flight.popleft()
            error = request.error()
            with self._only_warned(request):
                if error is None:
                    self._answered(request)
                elif _is_surely_unwritten(error):
                    self.log.settle(request.spec.name, unsent=[op.job.key for op in request.ops])
            if error is not None:
                self.logger.warning("%s: %s", request.spec.name, error)
        self.dispatcher.due.clear()

    @contextmanager
    def _only_warned(self, request: InFlight) -> Iterator[None]:
        """Log the errors of a run that ends by another error already."""
        try:
            yield
        except Stopped:
            pass
        except (XeroError, ConfigurationProblem) as another:
            self.logger.warning("%s: %s", request.spec.name, another)


def _may_be_written(error: BaseException | None) -> bool:
    """Whether some records of a refused request may be written."""
    return isinstance(error, Refused) and bool(error.elements) and not isinstance(error, TooLarge)


def _is_surely_unwritten(error: BaseException) -> bool:
    is_doubtful = isinstance(error, OutcomeUnknown) or (isinstance(error, Refused) and bool(error.elements))
    return isinstance(error, XeroError) and not is_doubtful
