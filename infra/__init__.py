"""What the API and the workers share: settings, the store, the Celery application, dispatch."""
