from django.db import models


class PacTwin(models.Model):
    """A row with a twin at the PAC, which one POST creates and a blind second one would double.

    Both marks are committed before that POST, so that they outlive a kill -9. They go when the
    twin's id is known; a definite refusal puts `pac_doubtful_since` back to what it was.
    """

    # Until then the POST of another run may be under way.
    pac_lease_expires_at = models.DateTimeField(null=True, editable=False)
    # Since then the twin may exist without our knowing its id: look before creating again.
    pac_doubtful_since = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True
