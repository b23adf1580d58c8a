using RunbookServer.Terminal;

namespace RunbookServer.Hosting;

/// <summary>Where settings come from beside the environment: the JSON file of <c>--config</c>.</summary>
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
        return ServerSettingsCheck.FindMisspelt(read) is { Count: > 0 } problems ? throw new CommandException(string.Join("\n", problems)) : read;
    }

    /// <exception cref="CommandException">It cannot be read, or is not JSON.</exception>
    public static IConfigurationBuilder AddSettingsFile(this IConfigurationBuilder configuration, string file) =>
        configuration.AddJsonFile(source =>
        {
            source.Path = File.Exists(file) ? Path.GetFullPath(file) : throw new CommandException($"There is no file {file}. Name the settings file with --config.");

            // It is read when it is added, or later: when the configuration is built.
            source.OnLoadException = broken => throw new CommandException($"The settings file {file} cannot be read: {Failures.Innermost(broken.Exception)} Mend the file, or name another with --config.");
            source.ResolveFileProvider();
        });
}
