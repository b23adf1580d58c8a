namespace Runbooks.Guardrails;

/// <summary>
/// What the runbooks of each team may do at this moment. An incident keeps the runbook that it opened with, and in place of a broken
/// one the version before stays in force: neither keeps a right that its team has lost since.
/// </summary>
public sealed class TeamActions(FileVersions versions)
{
    private readonly ConcurrentDictionary<string, Team> _inForce = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Team> _refused = new(StringComparer.Ordinal);

    /// <summary>These files are in force. What one that cannot be read said last still counts, whenever the process started.</summary>
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

    /// <summary>Files of a publication that is refused give no rights, and what they take away is gone all the same, until a set is in force again.</summary>
    public void TakeAway(IReadOnlyList<TeamFiles> teams)
    {
        foreach (var team in teams.Select(files => Read(files.Folder, files.File)).OfType<Team>())
        {
            _refused[team.Name] = team;
        }
    }

    /// <returns>The team as it is now, and as a publication that is refused has it: both have to let it do what it does. None where neither is known.</returns>
    internal async Task<IReadOnlyList<Team>> FindAsync(string team, CancellationToken cancellationToken)
    {
        var now = _inForce.GetValueOrDefault(team) ?? (await versions.FindLastAsync(NameOf(team), cancellationToken) is { } last ? Read(team, last) : null);
        return [.. new[] { now, _refused.GetValueOrDefault(team) }.OfType<Team>()];
    }

    /// <summary>What the team may do does not wait for its contacts to be good.</summary>
    private static Team? Read(string folder, RunbookFile file) => TeamFile.Read(new(folder, file, null)).Team;

    private static string NameOf(string team) => $"teams/{team}/{TeamFile.FileName}";
}

/// <summary>Keeps a team's runbooks from steps that the team may not do, whichever version of them an incident goes by.</summary>
public sealed class TeamActionsGuardrail(TeamActions actions) : IGuardrail
{
    public async Task<GuardrailViolation?> CheckAsync(GuardrailContext question, CancellationToken cancellationToken)
    {
        var (incident, runbook, phase) = (question.Incident, question.Runbook, question.Phase);
        if (runbook.Team.Length == 0)
        {
            return null;
        }

        // Of all that is left of the phase: half a fix is worse than none.
        var teams = await actions.FindAsync(runbook.Team, cancellationToken);
        foreach (var step in runbook.StepsOf(phase).Where(step => incident.FindStep(phase, step.Name) is not { FinishedAt: not null }))
        {
            if (teams.FirstOrDefault(one => !one.MayUse(step.Do)) is { } team)
            {
                return new(GuardrailNames.Team, $"Runbooks of the team {team.Name} may not do {step.Do} (step '{step.Name}'). They may do: {string.Join(", ", team.Actions)}. 'actions' in {team.Name}/{TeamFile.FileName} says so.", GuardrailSeverity.Forbid);
            }
        }

        return null;
    }
}
