namespace Runbooks.Settings;

/// <summary>What runbooks may read of this host.</summary>
public sealed class RunbookSettingsOptions
{
    public const string SectionName = "Runbooks";

    /// <summary>By name, what runbooks read as <c>{{ settings.NAME }}</c>: the cluster or region that this host looks after. No secrets: they are on cards and in the record.</summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.OrdinalIgnoreCase);
}
