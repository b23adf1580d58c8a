namespace Runbooks.Guardrails;

/// <summary>
/// What the runbooks of each team may do now. An incident keeps the runbook that it opened with, and a broken runbook keeps its last
/// version: neither keeps a right that its team has lost since.
/// </summary>
public sealed class TeamActions(FileVersions versions)
{
    private readonly ConcurrentDictionary<string, Team> _inForce = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Team> _refused = new(StringComparer.Ordinal);

    /// <summary>For a file that cannot be read, its last good version counts, also after a restart.</summary>
    public void Take(IReadOnlyList<TeamFiles> teams)
    {
        foreach (var files in teams)
        {
            if (Read(files.Folder, files.File) is { } team)
            {
                _inForce[team.Name] = team;
                versions.Use(NameOf(team.Name), files.File.Text);
            }
        }

        _refused.Clear();
    }

    /// <summary>A refused publication gives no rights, but those that it takes away are gone until another set is in force.</summary>
    public void TakeAway(IReadOnlyList<TeamFiles> teams)
    {
        foreach (var team in teams.Select(files => Read(files.Folder, files.File)).OfType<Team>())
        {
            _refused[team.Name] = team;
        }
    }

    /// <returns>The team as it is in force, and as a refused publication has it: both must allow a step.</returns>
    internal async Task<IReadOnlyList<Team>> FindAsync(string team, CancellationToken cancellationToken)
    {
        var inForce = _inForce.GetValueOrDefault(team)
            ?? (await versions.FindLastAsync(NameOf(team), cancellationToken) is { } last ? Read(team, last) : null);
        return [.. new[] { inForce, _refused.GetValueOrDefault(team) }.OfType<Team>()];
    }

    /// <summary>Read without the contacts: an error in those does not change what the team may do.</summary>
    private static Team? Read(string folder, RunbookFile file) => TeamFile.Read(new(folder, file, null)).Team;

    private static string NameOf(string team) => $"teams/{team}/{TeamFile.FileName}";
}

/// <summary>Counts for whichever version of the runbook an incident follows.</summary>
public sealed class TeamActionsGuardrail(TeamActions actions) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken)
    {
        var (incident, runbook, phase) = (question.Incident, question.Runbook, question.Phase);
        if (runbook.Team.Length == 0)
        {
            return null;
        }

        // All open steps of the phase are checked: half a fix is worse than none.
        var teams = await actions.FindAsync(runbook.Team, cancellationToken);
        foreach (var step in runbook.StepsOf(phase).Where(step => incident.FindStep(phase, step.Name) is not { FinishedAt: not null }))
        {
            if (teams.FirstOrDefault(candidate => !candidate.MayUse(step.Do)) is { } team)
            {
                return new(
                    GuardrailNames.Team,
                    $"Runbooks of the team {team.Name} may not do {step.Do} (step '{step.Name}'). "
                        + $"They may do: {string.Join(", ", team.Actions)}. "
                        + $"'actions' in {team.Name}/{TeamFile.FileName} says so.",
                    GuardrailSeverity.Forbid);
            }
        }

        return null;
    }
}
