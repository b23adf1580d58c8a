namespace Runbooks.Web.Pages;

/// <summary>What the console says that depends on where it runs.</summary>
public sealed class ConsoleOptions
{
    public const string SectionName = "Console";

    /// <summary>The line to try when there are no incidents yet. Unless it is set only the one-machine host in practice has one.</summary>
    public string? TryThis { get; set; }

    /// <summary>The name that forms begin with where nobody signs in; whoever it is may change it.</summary>
    public string? Name { get; set; }
}

/// <summary>Whether the integrations act on a sandbox: every page says so. No setting, since only the host that has one knows.</summary>
public sealed record PracticeMode(bool On);
