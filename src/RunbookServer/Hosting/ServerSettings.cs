using System.Net;
using Microsoft.Extensions.Configuration.EnvironmentVariables;
using Microsoft.Extensions.Configuration.Json;
using Runbooks.AzureStorage;
using Runbooks.Settings;

namespace RunbookServer.Hosting;

internal sealed record ServerSettings
{
    /// <summary>0 takes any free port.</summary>
    public int Port { get; init; } = ServerDefaults.Port;

    public string DataDirectory { get; init; } = ServerDefaults.DataDirectory;

    /// <summary>A folder or the address of a container. Null means <c>./runbooks</c> where it is there, else the shipped ones.</summary>
    public string? RunbooksDirectory { get; init; }

    public string? ConfigFile { get; init; }

    /// <summary>The sandbox runs, integrations point at it, messages go to the outbox, pages open without a key.</summary>
    public bool Practice { get; init; } = true;

    public StorageKind Storage { get; init; }

    public bool ListenAny { get; init; }

    public string OutboxDirectory => Path.Combine(DataDirectory, "outbox");

    public string EvidenceDirectory => Path.Combine(DataDirectory, "evidence");
}

internal enum StorageKind
{
    Sqlite,

    /// <summary>In a storage account that several processes share: section <c>Storage</c>.</summary>
    Azure,
}

internal static class ServerDefaults
{
    public const int Port = 7071;
    public const string Address = "http://localhost:7071";
    public const string DataDirectory = "data";

    /// <summary>In the data folder: the address of the host that was started on it.</summary>
    public const string AddressFile = "address";

    /// <summary>In the data folder: the address of its sandbox.</summary>
    public const string SandboxAddressFile = "sandbox-address";

    /// <summary>In the data folder; made at the first start.</summary>
    public const string KeyFile = "api-key";
}

internal static class ServerSettingsCheck
{
    private static readonly string[] s_platform = ["Logging", "Kestrel", "AllowedHosts"];

    private static readonly SettingsSection s_account = new(StorageAccountOptions.SectionName, typeof(StorageAccountOptions));

    /// <summary>A misspelt setting from the file or the environment would do nothing, and nobody would notice.</summary>
    /// <exception cref="CommandException">A setting is read by nothing; the message has each on a line of its own.</exception>
    public static async Task RefuseUnknownAsync(
        IServiceProvider services, IConfiguration configuration, ServerSettings settings, CancellationToken cancellationToken)
    {
        // The account counts with --storage azure only. A host with it in the environment may also start without.
        var sections = services.GetServices<SettingsSection>().Append(s_account);
        var secrets = AddressSecrets.NamedIn(await ServerContacts.TextOfAsync(settings, services, cancellationToken));
        string[] others = [.. s_platform, .. ServerTelemetry.Variables, .. secrets];
        var problems = Checker(sections, others, configuration).Check(configuration, onlyOurs: true);
        if (problems.Count > 0)
        {
            var secret = problems.Any(problem => problem.IsUnknown)
                ? $"\nA secret that contacts need is named in {ContactsFile.FileName} as ${{NAME}}."
                : "";
            throw new CommandException($"{string.Join("\n", problems)}{secret}");
        }
    }

    /// <summary>For commands that run without a host and read a part of its settings. They leave unknown sections to the host.</summary>
    public static IReadOnlyList<SettingProblem> FindMisspelt(IConfiguration configuration)
    {
        var services = new ServiceCollection().AddRunbooks().AddRunbooksWeb().AddIntegrations().AddChannels();
        var sections = services.Where(service => service.ServiceType == typeof(SettingsSection))
            .Select(service => service.ImplementationInstance)
            .OfType<SettingsSection>()
            .Append(s_account)
            .ToList();
        var others = configuration.GetChildren()
            .Select(child => child.Key)
            .Except(sections.Select(section => section.Name), StringComparer.OrdinalIgnoreCase);
        return Checker(sections, others, configuration).Check(configuration, onlyOurs: false);
    }

    /// <summary>
    /// Variables that are written as settings are in Azure. Here they do nothing, so the start warns of them; they may be meant for
    /// another program.
    /// </summary>
    public static IReadOnlyList<string> FindWithoutPrefix(IEnumerable<SettingsSection> sections, IReadOnlyCollection<string> variables)
    {
        var names = sections.Append(s_account).Select(section => section.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return
        [
            .. variables
                .Where(variable => variable.Split("__") is [var section, _, ..] && names.Contains(section))
                .Where(variable => !variables.Contains($"{SettingsFile.Variables}{variable}", StringComparer.OrdinalIgnoreCase))
                .Order(StringComparer.Ordinal),
        ];
    }

    private static SettingsChecker Checker(
        IEnumerable<SettingsSection> sections, IEnumerable<string> others, IConfiguration configuration) =>
        new(sections, others, path => Origin((IConfigurationRoot)configuration, path));

    public static IEnumerable<(string Setting, string Value, string Origin)> FindGiven(IConfiguration configuration) =>
        from setting in configuration.AsEnumerable()
        where setting.Value is not null
        let origin = Origin((IConfigurationRoot)configuration, setting.Key)
        where origin is not null
        orderby setting.Key
        select (setting.Key, setting.Value, origin);

    private static string? Origin(IConfigurationRoot configuration, string path) =>
        configuration.Providers.Reverse().FirstOrDefault(provider => provider.TryGet(path, out _)) switch
        {
            JsonConfigurationProvider file => file.Source.Path,
            EnvironmentVariablesConfigurationProvider => $"RUNBOOK_{path.Replace(":", "__", StringComparison.Ordinal)} in the environment",
            _ => null,
        };
}

internal static class SettingsFile
{
    public const string Variables = "RUNBOOK_";

    /// <summary>As a host has them: the file, if one is named, and over it the variables.</summary>
    /// <inheritdoc cref="AddSettingsFile"/>
    public static IConfiguration Read(string? file)
    {
        var settings = new ConfigurationBuilder();
        if (file is not null)
        {
            settings.AddSettingsFile(file);
        }

        var read = settings.AddEnvironmentVariables(Variables).Build();
        return ServerSettingsCheck.FindMisspelt(read) is { Count: > 0 } problems
            ? throw new CommandException(string.Join("\n", problems))
            : read;
    }

    /// <exception cref="CommandException">It cannot be read, or is not JSON.</exception>
    public static IConfigurationBuilder AddSettingsFile(this IConfigurationBuilder configuration, string file) =>
        configuration.AddJsonFile(source =>
        {
            source.Path = File.Exists(file)
                ? Path.GetFullPath(file)
                : throw new CommandException($"There is no file {file}. Name the settings file with --config.");

            // The file is read now or later, when the configuration is built.
            source.OnLoadException = broken => throw new CommandException(
                $"The settings file {file} cannot be read: {Failures.Innermost(broken.Exception)} "
                + "Mend the file, or name another with --config.");
            source.ResolveFileProvider();
        });
}

/// <summary>The proxy of this machine, but not for its own addresses: .NET would send requests to those through it too, with their keys.</summary>
internal sealed class ProxyBeyondThisMachine(IWebProxy usual) : IWebProxy
{
    private static readonly string[] s_here = ["localhost", "127.0.0.1", "[::1]"];

    public static void Use()
    {
        // The Azure SDK makes its own proxy from the same variables. The name in small letters has priority.
        var others = Environment.GetEnvironmentVariable("no_proxy") ?? Environment.GetEnvironmentVariable("NO_PROXY");
        Environment.SetEnvironmentVariable("no_proxy", string.Join(',', string.IsNullOrEmpty(others) ? s_here : [others, .. s_here]));
        HttpClient.DefaultProxy = new ProxyBeyondThisMachine(HttpClient.DefaultProxy);
    }

    public ICredentials? Credentials
    {
        get => usual.Credentials;
        set => usual.Credentials = value;
    }

    public Uri? GetProxy(Uri destination) => usual.GetProxy(destination);

    public bool IsBypassed(Uri host) => host.IsLoopback || usual.IsBypassed(host);
}
