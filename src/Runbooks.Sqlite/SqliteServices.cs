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
