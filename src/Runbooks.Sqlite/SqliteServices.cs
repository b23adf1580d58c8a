using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Runbooks.Sqlite;

public static class SqliteServices
{
    /// <summary>The host's one database, <c>runbooks.db</c> in the data folder, opened when first asked for.</summary>
    /// <param name="survivesPowerCut">See <see cref="SqliteOptions.SurvivesPowerCut"/>.</param>
    public static IServiceCollection AddSqliteDatabase(this IServiceCollection services, string dataFolder, bool survivesPowerCut = true) =>
        services
            .AddSingleton(new SqliteOptions { Path = Path.Combine(dataFolder, "runbooks.db"), SurvivesPowerCut = survivesPowerCut })
            .AddSingleton(provider => new SqliteDatabase(provider.GetRequiredService<SqliteOptions>(), provider.GetRequiredService<ILogger<SqliteDatabase>>()));
}

/// <summary>Where the host keeps its one database, and what a test may watch in its writer.</summary>
public sealed class SqliteOptions
{
    /// <summary>The database file. Its folder is made when it does not exist.</summary>
    public required string Path { get; init; }

    /// <summary>
    /// What is committed survives a power cut: synced to disk before anybody is told. Off, it survives only the end of the
    /// process, which is enough for tests and costs no sync.
    /// </summary>
    public bool SurvivesPowerCut { get; init; } = true;

    /// <summary>
    /// Called by the writer just before and just after each commit. When it throws, the writer stops where it stands
    /// as a killed process would: nothing more is written, and nobody is told of what was. For crash tests.
    /// </summary>
    internal Action<WritePoint>? Failpoint { get; init; }
}

/// <summary>Where in a commit the writer stands.</summary>
internal enum WritePoint { BeforeCommit, AfterCommit }
