from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DigestConfig(AppConfig):
    name = "digest"
    verbose_name = "Digest"

    def ready(self) -> None:
        from digest import readers, showing, tasting  # noqa: F401 - they listen to subscriptions' signals
        from digest.archive import schema
        from digest.delivery import listening  # noqa: F401 - so does this

        post_migrate.connect(schema.install, sender=self)
