"""What both processes touch: settings, the store, the Celery application, dispatch."""
