namespace Runbooks.Integrations.Metrics;

/// <summary>The verdict when there is nothing to measure.</summary>
public enum WhenEmpty { Unknown, Passing, Failing }
