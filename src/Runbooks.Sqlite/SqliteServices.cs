using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Runbooks.Sqlite;

public static class SqliteServices
{
    /// <summary>The host's one database, <c>runbooks.db</c> in the data folder, opened when first asked for.</summary>
    public static IServiceCollection AddSqliteDatabase(this IServiceCollection services, string dataFolder) =>
        services
            .AddSingleton(new SqliteOptions { Path = Path.Combine(dataFolder, "runbooks.db") })
            .AddSingleton(provider => new SqliteDatabase(provider.GetRequiredService<SqliteOptions>(), provider.GetRequiredService<ILogger<SqliteDatabase>>()));
}
