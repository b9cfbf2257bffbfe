"""The form of the store's access token."""

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, SecretStr

VISIBLE_ASCII = re.compile("[!-~]+")


def _check_token(token: SecretStr) -> SecretStr:
    if not VISIBLE_ASCII.fullmatch(token.get_secret_value()):
        raise ValueError("It has to be one line of visible ASCII characters")
    return token


AccessToken: TypeAlias = Annotated[SecretStr, AfterValidator(_check_token)]
