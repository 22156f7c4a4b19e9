"""`GET /players` with FastAPI and SQLAlchemy: the yardstick of bench_pages.

On the same table, with the ORM, a response model and a count: the way of the earlier
backend. `/players` looks the bearer token up first, as our own path has to: its hashed
row, with expiry, revocation and scope. `/open/players` lets everybody in.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os

from fastapi import Depends, FastAPI, HTTPException
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

_url = os.environ["DATABASE_URL"].replace("postgres://", "postgresql+psycopg://")
_make = sessionmaker(create_engine(_url, pool_size=8))
app = FastAPI()


class Base(DeclarativeBase):
    """The tables that are read."""


class Player(Base):
    """A row of the athletes' table."""

    __tablename__ = "players"
    id: Mapped[int] = mapped_column(primary_key=True)
    org_player_id: Mapped[str]
    reboot_player_id: Mapped[str]
    first_name: Mapped[str]
    last_name: Mapped[str]
    date_of_birth: Mapped[dt.date | None]
    height_ft: Mapped[float | None]
    weight_lbs: Mapped[float | None]
    dominant_hand_hitting: Mapped[str | None]
    dominant_hand_throwing: Mapped[str | None]
    created_at: Mapped[dt.datetime]
    updated_at: Mapped[dt.datetime]


class ApiToken(Base):
    """A row of the tokens' table."""

    __tablename__ = "accounts_apitoken"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    digest: Mapped[str]
    scope: Mapped[str]
    expires_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class PlayerOut(BaseModel):
    """One athlete as JSON."""

    model_config = ConfigDict(from_attributes=True)
    id: int
    org_player_id: str
    reboot_player_id: str
    first_name: str
    last_name: str
    date_of_birth: dt.date | None
    height_ft: float | None
    weight_lbs: float | None
    dominant_hand_hitting: str | None
    dominant_hand_throwing: str | None
    created_at: dt.datetime
    updated_at: dt.datetime


class PageOut(BaseModel):
    """One page of athletes as JSON."""

    total: int
    players: list[PlayerOut]
    page: int
    limit: int


def database():  # type: ignore[no-untyped-def]
    """Yield a connection for one request."""
    with _make() as session:
        yield session


bearer = HTTPBearer()


def token(  # type: ignore[no-untyped-def]
    given: HTTPAuthorizationCredentials = Depends(bearer),  # noqa: B008
    link: Session = Depends(database),  # noqa: B008
):
    """Return the caller's token; answer 401 or 403 where it is not enough."""
    digest = hashlib.sha256(given.credentials.encode()).hexdigest()
    found = link.scalars(select(ApiToken).where(ApiToken.digest == digest)).first()
    now = dt.datetime.now(dt.UTC)
    if (
        found is None
        or found.revoked_at is not None
        or (found.expires_at is not None and found.expires_at <= now)
    ):
        raise HTTPException(401)
    if found.scope not in {"read", "sync"}:
        raise HTTPException(403)
    return found


def _page(skip: int, limit: int, link: Session):  # type: ignore[no-untyped-def]
    total = link.scalar(select(func.count()).select_from(Player))
    order = (Player.last_name, Player.first_name, Player.id)
    rows = link.scalars(select(Player).order_by(*order).offset(skip).limit(limit))
    return {
        "total": total,
        "players": rows.all(),
        "page": skip // limit + 1,
        "limit": limit,
    }


@app.get("/players", response_model=PageOut)
def players(  # type: ignore[no-untyped-def]
    skip: int = 0,
    limit: int = 100,
    caller: ApiToken = Depends(token),  # noqa: B008
    link: Session = Depends(database),  # noqa: B008
):
    """Return one page of the athletes, for callers with a token."""
    return _page(skip, limit, link)


@app.get("/open/players", response_model=PageOut)
def open_players(skip: int = 0, limit: int = 100, link: Session = Depends(database)):  # type: ignore[no-untyped-def]  # noqa: B008
    """Return one page of the athletes without asking for a token."""
    return _page(skip, limit, link)
