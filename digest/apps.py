from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DigestConfig(AppConfig):
    name = "digest"
    verbose_name = "Digest"

    def ready(self) -> None:
        from digest.delivery import receivers  # noqa: F401 - so does this
        from digest.readers import lifecycle, taste  # noqa: F401 - they listen to subscriptions' signals
        from digest.readers.answers import Answers
        from digest.search import schema
        from subscriptions import questions

        questions.digest = Answers()
        post_migrate.connect(schema.install, sender=self)
