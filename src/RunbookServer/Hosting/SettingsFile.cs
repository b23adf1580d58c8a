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

        return settings.AddEnvironmentVariables(Variables).Build();
    }

    /// <exception cref="CommandException">It cannot be read, or is not JSON.</exception>
    public static IConfigurationBuilder AddSettingsFile(this IConfigurationBuilder configuration, string file)
    {
        try
        {
            return configuration.AddJsonFile(File.Exists(file) ? Path.GetFullPath(file) : throw new CommandException($"There is no file {file}. Name the settings file with --config."), optional: false);
        }
        catch (Exception broken) when (broken is InvalidDataException or FormatException or IOException or UnauthorizedAccessException)
        {
            throw new CommandException($"The settings file {file} cannot be read: {Failures.Innermost(broken)} Mend the file, or name another with --config.");
        }
    }
}
