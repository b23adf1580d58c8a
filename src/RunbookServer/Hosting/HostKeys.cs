using Runbooks.SignedLinks;

namespace RunbookServer.Hosting;

/// <summary>The keys that the host has made for itself; settings may name others beside them, to rotate.</summary>
internal sealed class HostKeys
{
    /// <summary>Opens the API; null when the settings name the keys.</summary>
    public string? ApiKey { get; private set; }

    /// <summary>Signs approval links; null when the settings name the keys.</summary>
    public LinkSigningKey? LinkKey { get; private set; }

    public static HostKeys Of(ServerSettings settings) => settings.Storage == StorageKind.Azure
        ? new()
        : new() { ApiKey = SecretFiles.ApiKey(settings.DataDirectory), LinkKey = SecretFiles.LinkKey(settings.DataDirectory) };

    /// <summary>Once, before the host starts.</summary>
    public void Use(string? apiKey, LinkSigningKey? linkKey) => (ApiKey, LinkKey) = (apiKey, linkKey);
}
