namespace Runbooks.Model.Incidents;

/// <summary>The answer to one question of one incident.</summary>
/// <param name="Name">The check's name in the runbook.</param>
/// <param name="Ask">The question in words.</param>
/// <param name="Took">How long the answer took.</param>
public sealed record Finding(string Name, string Ask, CheckResult Result, DateTimeOffset At, TimeSpan Took)
{
    public Verdict Verdict => Result.Verdict;
}
