namespace Runbooks.Integrations.Azure.AppConfiguration;

/// <summary>Where a setting lives.</summary>
/// <param name="Store">The configured store's name.</param>
/// <param name="Label">Empty for none.</param>
internal sealed record SettingAddress(string Store, string Key, string Label)
{
    public override string ToString() => $"'{Key}'{(Label.Length == 0 ? "" : $" (label {Label})")} in App Configuration '{Store}'";
}

/// <summary>What a setting holds.</summary>
/// <param name="ETag">With its quotes.</param>
internal sealed record Setting(string Value, string? ContentType, string ETag);
