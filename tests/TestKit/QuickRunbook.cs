namespace TestKit;

/// <summary>
/// A shipped runbook for tests of everything but its judgement: one round verifies a fix, and the first healthy look is
/// believed. What is waited for beyond that is tried where it belongs.
/// </summary>
public static class QuickRunbook
{
    public static string Of(string text) => string.Join('\n', text.Split('\n').Select(line =>
        line.StartsWith("  verify: {", StringComparison.Ordinal) ? line.Replace(" }", ", successThreshold: 1 }", StringComparison.Ordinal)
        : line.StartsWith("limits: {", StringComparison.Ordinal) ? line.Replace("limits: {", "limits: { healthyFor: 0,", StringComparison.Ordinal)
        : line));
}
