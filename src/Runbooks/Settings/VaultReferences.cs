using Microsoft.Extensions.Configuration;

namespace Runbooks.Settings;

/// <summary>
/// App Service replaces a reference to a vault by the vault's value. Where it could not read that, the setting is the text of the
/// reference. It looks like a secret, but anybody who has the name of the vault can know it.
/// </summary>
/// <seealso href="https://learn.microsoft.com/azure/app-service/app-service-key-vault-references"/>
public static class VaultReferences
{
    private static readonly string[] s_beginnings = ["@Microsoft.KeyVault(", "@Microsoft.AppConfiguration("];

    /// <summary>
    /// Sections without which a host must not start. An API key with an unknown value would get the role of a key that no setting names,
    /// and no link could be signed. Everything else is closed while it is empty.
    /// </summary>
    private static readonly string[] s_needed = ["ApiKeys:", "LinkSigning:"];

    /// <summary>Makes such settings empty, as if they were not set. Has to be called before anything reads them.</summary>
    public static IReadOnlyList<string> Empty(IConfigurationManager configuration)
    {
        List<string> unresolved =
        [
            .. configuration.AsEnumerable()
                .Where(setting => IsReference(setting.Value))
                .Select(setting => setting.Key)
                .Order(StringComparer.Ordinal),
        ];
        configuration.AddInMemoryCollection(unresolved.Select(name => KeyValuePair.Create(name, (string?)"")));
        return unresolved;
    }

    public static IReadOnlyList<string> FindProblems(IEnumerable<string> unresolved)
    {
        return [.. unresolved.Where(IsNeeded).Select(name =>
            $"The setting '{name}' is still a reference to a vault, so App Service has not read it from there. "
            + "Is the secret there, and may the app's identity read it? Then have it asked again with infra/scripts/refresh-secrets.sh.")];

        static bool IsNeeded(string name) => s_needed.Any(section => name.StartsWith(section, StringComparison.OrdinalIgnoreCase));
    }

    public static void Report(IEnumerable<string> unresolved, ILoggerFactory loggers)
    {
        var logger = loggers.CreateLogger(typeof(VaultReferences));
        foreach (var name in unresolved)
        {
            Log.SecretMissing(logger, name);
        }
    }

    private static bool IsReference(string? value) =>
        value is not null && s_beginnings.Any(beginning => value.StartsWith(beginning, StringComparison.OrdinalIgnoreCase));
}
