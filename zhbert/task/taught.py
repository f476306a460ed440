"""What every option of a fine-tuning goes by: the task, and how the model answers."""

from pydantic import Field

from zhbert.config import Config


class Taught(Config):
    """What is learnt."""

    task: str = Field(description="what to learn")
    head: str = Field(default="", description="how the model answers; default: the task's usual way")
