from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DigestConfig(AppConfig):
    name = "digest"
    verbose_name = "Digest"

    def ready(self) -> None:
        from digest.delivery import receivers  # noqa: F401 - so does this
        from digest.readers import history, lifecycle, taste  # noqa: F401 - they listen to subscriptions' signals
        from digest.search import schema

        post_migrate.connect(schema.install, sender=self)
